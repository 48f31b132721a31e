"""What the seat does with its holder's input: how much of it, and what is seen of it."""

import logging

import pytest

from streamer.errors import InputError
from streamer.protocol.actions import ButtonChange, KeyChange, PointerMove, TextEntry
from streamer.protocol.input import Button, Held, Key, Pointer, PointerTotals, Recap, Text, serialize
from tests.fakes.seat import SeatRig

DOWN, UP = KeyChange("KeyW", is_down=True), KeyChange("KeyW", is_down=False)


# How much a viewer may send.


def test_motion_beyond_the_limit_is_dropped_and_key_ups_are_not(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))
    for sequence in range(2, 3_000):
        pair.seat.take("ann", serialize(Pointer(sequence, 1, 1)))
    moves = pair.backend.take()

    dropped = pair.say("ann", Pointer(3_000, 7, 7))
    released = pair.say("ann", Key(3_001, "KeyW", is_down=False))

    assert 0 < len(moves) < 2_998
    assert dropped == []
    assert released == [UP]


def test_recap_beyond_the_limit_is_dropped_and_its_events_are_not(pair):
    press = Key(3_000, "KeyW", is_down=True)
    for sequence in range(1, 3_000):
        pair.seat.take("ann", serialize(Pointer(sequence, 1, 1)))
    pair.backend.take()

    dropped = pair.say("ann", Recap(3_001, 3_001, (press,)))

    assert dropped == []
    assert pair.say("ann", press) == [DOWN]


def test_relative_motion_beyond_the_limit_is_made_up_for(pair):
    for sequence in range(3_000):
        pair.seat.take("ann", serialize(PointerTotals(sequence, sequence, 0)))
    pair.clock.step(2_000_000)
    pair.seat.take("ann", serialize(PointerTotals(3_000, 3_000, 0)))

    assert sum(shift.dx_px for shift in pair.backend.take()) == 3_000


def test_steady_fast_input_is_never_limited(pair):
    for sequence in range(5_000):
        pair.clock.step(2_000)
        pair.seat.take("ann", serialize(Pointer(sequence, sequence, 1)))

    assert len(pair.backend.take()) == 5_000


# What is seen of it.


def test_last_input_is_the_low_byte_of_the_newest_message(pair):
    pair.say("ann", Pointer(0x1FE, 1, 1))
    low_byte = pair.seat.last_input()
    pair.say("ann", Pointer(0x1FD, 2, 2))

    assert low_byte == pair.seat.last_input() == 0xFE


def test_input_is_turned_off_once_when_the_backend_fails(pair, caplog):
    pair.backend.failure = InputError("xtest", "the display is gone")

    with caplog.at_level(logging.WARNING):
        pair.say("ann", Pointer(1, 1, 1), Pointer(2, 2, 2), Key(3, "KeyW", is_down=True))
    pair.seat.leave("ann")

    assert [record.getMessage() for record in caplog.records] == ["input is off because xtest: the display is gone"]


def test_seat_without_a_backend_takes_input_for_nothing():
    rig = SeatRig()
    rig.seat.connect(None, rig._hasten, is_open=True)
    rig.seat.join("ann")

    assert rig.say("ann", Pointer(5, 1, 1)) == []
    assert rig.seat.last_input() == 5
    assert rig.seat.holder == "ann"


def test_nobody_holds_a_seat_from_which_nothing_can_be_changed():
    rig = SeatRig()
    rig.seat.connect(None, rig._hasten, is_open=False)
    rig.seat.join("ann")

    assert rig.say("ann", Pointer(5, 1, 1)) == []
    assert rig.seat.last_input() == 0
    assert rig.seat.holder is None


def test_seat_is_given_up_when_the_backend_fails(pair):
    before = pair.changes
    pair.backend.failure = InputError("xtest", "the display is gone")

    pair.say("ann", Key(1, "KeyW", is_down=True))

    assert pair.seat.holder is None
    assert pair.changes == before + 1


def test_picture_of_a_press_is_hastened_when_its_number_is_known(pair):
    pair.say("ann", Key(7, "KeyW", is_down=True), Key(8, "KeyW", is_down=False))

    assert pair.hastened == [7, 8]


def test_picture_of_a_press_is_hastened_once_whichever_channel_brings_it(pair):
    press = Key(1, "KeyW", is_down=True)

    pair.say("ann", Recap(2, 2, (press,)), press)

    assert pair.hastened == [2]


@pytest.mark.parametrize(
    ("viewer", "message"),
    [
        ("ann", Pointer(1, 1, 1)),
        ("ann", PointerTotals(1, 1, 1)),
        ("ann", Held(1, 0, ())),
        ("bob", Key(1, "KeyW", is_down=True)),
        ("eve", Key(1, "KeyW", is_down=True)),
    ],
)
def test_picture_is_not_hastened_by_motion_nor_by_what_changes_nothing(pair, viewer, message):
    pair.say(viewer, message)

    assert pair.hastened == []


def test_holder_is_told_of_a_text_that_was_refused(pair):
    messages = Text(1, "taken"), Text(2, "NO ", has_more=True), Text(3, "ROOM"), Text(4, "taken, too")

    assert pair.say("ann", *messages) == [TextEntry("taken"), TextEntry("taken, too")]
    assert pair.refused == ["ann"]


def test_watcher_is_not_told_of_its_text(pair):
    assert pair.say("bob", Text(1, "NO ROOM")) == []
    assert pair.refused == []


def test_button_goes_down_where_it_was_pressed(pair):
    assert pair.say("ann", Button(1, 0, is_down=True, is_locked=False, x=10, y=20)) == [
        PointerMove(10, 20),
        ButtonChange(0, is_down=True),
    ]
