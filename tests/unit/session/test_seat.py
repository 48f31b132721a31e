"""Who holds the seat, and what is let go with it."""

import pytest

from streamer.errors import RemoteProtocolError
from streamer.protocol.actions import KeyChange, PointerShift
from streamer.protocol.input import Held, Key, Pointer, PointerTotals, Recap, serialize
from tests.fakes.seat import SeatRig

DOWN, UP = KeyChange("KeyW", is_down=True), KeyChange("KeyW", is_down=False)


def test_seat_is_empty_before_anybody_comes():
    assert SeatRig().seat.holder is None


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
