import logging

import pytest

from streamer.errors import InputError, RemoteProtocolError
from streamer.protocol.actions import ButtonChange, InputAction, KeyChange, PointerMove, PointerShift, TextEntry
from streamer.protocol.input import Button, Held, InputMessage, Key, Pointer, PointerTotals, Recap, Text, serialize
from streamer.session.seat import Seat
from tests.fakes.stepped_clock import SteppedClock

DOWN, UP = KeyChange("KeyW", is_down=True), KeyChange("KeyW", is_down=False)


class Backend:
    """Keeps what it is to carry out; with `failure`, it cannot any more. It has no room for texts in capitals."""

    def __init__(self) -> None:
        self.actions: list[InputAction] = []
        self.failure: InputError | None = None

    def apply(self, actions) -> list[TextEntry]:
        if self.failure is not None:
            raise self.failure
        refused = [action for action in actions if isinstance(action, TextEntry) and action.text.isupper()]
        self.actions += [action for action in actions if action not in refused]
        return refused

    def release_all(self) -> None:
        raise AssertionError("the seat knows what is held")

    def close(self) -> None:
        raise AssertionError("the seat does not own its backend")

    def take(self) -> list[InputAction]:
        taken, self.actions = self.actions, []
        return taken


class Rig:
    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.backend = Backend()
        self.changes = 0
        self.hastened: list[int] = []
        self.refused: list[str] = []
        self.seat = Seat(self.clock, self._changed, self.refused.append)
        self.seat.connect(self.backend, self._hasten, is_open=True)

    def _changed(self) -> None:
        self.changes += 1

    def _hasten(self) -> None:
        """Note the number that a picture drawn at this moment would carry."""
        self.hastened.append(self.seat.last_input())

    def say(self, viewer: str, *messages: InputMessage) -> list[InputAction]:
        for message in messages:
            self.seat.take(viewer, serialize(message))
        return self.backend.take()


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def pair(rig) -> Rig:
    rig.seat.join("ann")
    rig.seat.join("bob")
    return rig


def test_seat_is_empty_before_anybody_comes(rig):
    assert rig.seat.holder is None


def test_first_viewer_holds_the_seat(pair):
    assert pair.seat.holder == "ann"
    assert pair.say("ann", Key(1, "KeyW", is_down=True)) == [DOWN]


def test_input_of_the_others_changes_nothing(pair):
    assert pair.say("bob", Key(1, "KeyW", is_down=True), Pointer(2, 5, 5), PointerTotals(3, 9, 9)) == []
    assert pair.seat.last_input() == 0


def test_input_of_a_stranger_changes_nothing(pair):
    assert pair.say("eve", Key(1, "KeyW", is_down=True)) == []


def test_malformed_input_is_refused_whoever_sends_it(pair):
    for viewer in ("ann", "bob", "eve"):
        with pytest.raises(RemoteProtocolError):
            pair.seat.take(viewer, b"\xff\x00\x00")


def test_seat_passes_on_in_the_order_of_coming(pair):
    pair.seat.join("cid")

    pair.seat.leave("ann")
    second = pair.seat.holder
    pair.seat.leave("bob")

    assert (second, pair.seat.holder) == ("bob", "cid")


def test_seat_that_nobody_is_left_for_goes_to_the_next_who_comes(pair):
    pair.seat.leave("ann")
    pair.seat.leave("bob")
    nobody = pair.seat.holder

    pair.seat.join("cid")

    assert (nobody, pair.seat.holder) == (None, "cid")


def test_leaving_of_a_watcher_moves_nothing(pair):
    pair.seat.leave("bob")

    assert pair.seat.holder == "ann"


def test_everybody_is_told_when_somebody_comes_or_goes(pair):
    before = pair.changes

    pair.seat.leave("ann")

    assert pair.changes == before + 1 == 3


def test_holder_that_steps_out_keeps_the_seat(pair):
    pair.seat.step_out("ann")
    while_away = pair.seat.holder
    pair.seat.join("ann")

    assert while_away == pair.seat.holder == "ann"


def test_watcher_that_steps_out_keeps_its_place_in_the_line(pair):
    pair.seat.join("cid")
    pair.seat.step_out("bob")
    pair.seat.join("bob")

    pair.seat.leave("ann")

    assert pair.seat.holder == "bob"


def test_seat_does_not_pass_to_a_viewer_that_is_away(pair):
    pair.seat.join("cid")
    pair.seat.step_out("bob")

    pair.seat.leave("ann")

    assert pair.seat.holder == "cid"


def test_viewer_that_comes_back_starts_with_fresh_totals(pair):
    pair.say("ann", PointerTotals(1, 500, 500))
    pair.seat.step_out("ann")
    pair.seat.join("ann")

    assert pair.say("ann", PointerTotals(1, 3, 4)) == [PointerShift(3, 4)]


def test_new_holder_goes_on_from_its_own_totals(pair):
    pair.say("bob", PointerTotals(1, 500, 500), Key(2, "KeyW", is_down=True))
    pair.seat.leave("ann")

    assert pair.say("bob", PointerTotals(3, 501, 502)) == [PointerShift(1, 2)]
    assert pair.say("bob", Key(4, "KeyW", is_down=False)) == []


# Everything is released.


def test_seat_releases_keys_when_its_holder_leaves(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))

    pair.seat.leave("ann")

    assert pair.backend.take() == [UP]


def test_seat_releases_keys_when_its_holder_steps_out(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))

    pair.seat.step_out("ann")

    assert pair.backend.take() == [UP]


def test_seat_releases_keys_when_its_holder_falls_silent(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))

    pair.clock.step(499_999)
    early = pair.backend.take()
    pair.clock.step(1)

    assert early == []
    assert pair.backend.take() == [UP]


def test_held_messages_keep_keys_down(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))
    for sequence in range(2, 22):
        pair.clock.step(100_000)
        pair.say("ann", Held(sequence, 0, ("KeyW",)))
    pair.clock.step(499_999)
    held = pair.backend.take()
    pair.clock.step(1)

    assert held == []
    assert pair.backend.take() == [UP]


def test_recaps_keep_keys_down_while_held_messages_are_late(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))
    for sequence in range(2, 22):
        pair.clock.step(100_000)
        pair.say("ann", Recap(sequence, sequence - 1, ()))

    assert pair.say("ann", Recap(23, 22, (Key(22, "KeyW", is_down=False),))) == [UP]


def test_motion_without_held_messages_does_not_keep_keys_down(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))
    for sequence in range(2, 8):
        pair.clock.step(100_000)
        pair.seat.take("ann", serialize(PointerTotals(sequence, sequence, 0)))

    assert UP in pair.backend.take()


def test_key_that_was_released_for_silence_is_not_pressed_again_by_a_held_message(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))
    pair.clock.step(500_000)
    pair.backend.take()

    assert pair.say("ann", Held(2, 0, ("KeyW",)), Key(3, "KeyW", is_down=False)) == []


def test_silence_of_a_former_holder_releases_nothing_of_the_next(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))
    pair.clock.step(400_000)
    pair.seat.leave("ann")
    pair.backend.take()
    pair.say("bob", Key(1, "KeyW", is_down=True))

    pair.clock.step(499_999)

    assert pair.backend.take() == []


def test_closed_seat_has_released_everything_and_waits_for_nothing(pair):
    pair.say("ann", Key(1, "KeyW", is_down=True))

    pair.seat.close()

    assert pair.backend.take() == [UP]
    assert pair.seat.holder is None
    assert pair.clock.timers == 0


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
    rig = Rig()
    rig.seat.connect(None, rig._hasten, is_open=True)
    rig.seat.join("ann")

    assert rig.say("ann", Pointer(5, 1, 1)) == []
    assert rig.seat.last_input() == 5
    assert rig.seat.holder == "ann"


def test_nobody_holds_a_seat_from_which_nothing_can_be_changed():
    rig = Rig()
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
