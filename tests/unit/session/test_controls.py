import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import RemoteProtocolError
from streamer.protocol.actions import ButtonChange, KeyChange, PointerMove, PointerShift, TextEntry, WheelTurn
from streamer.protocol.input import (
    MAX_ENTRY_BYTES,
    MAX_TEXT_BYTES,
    Button,
    Held,
    Key,
    Pointer,
    PointerTotals,
    Recap,
    ReleaseAll,
    Text,
    WheelTotals,
)
from streamer.session.controls import HELD_TIMEOUT_US, Controls
from tests.fakes.controls import take_all

MOTION = (Pointer, PointerTotals, WheelTotals)


def shifted(actions) -> tuple[int, int]:
    shifts = [action for action in actions if isinstance(action, PointerShift)]
    return sum(shift.dx_px for shift in shifts), sum(shift.dy_px for shift in shifts)


def turned(actions) -> tuple[int, int]:
    turns = [action for action in actions if isinstance(action, WheelTurn)]
    return sum(turn.dx for turn in turns), sum(turn.dy for turn in turns)


def signed(number: int) -> int:
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


# Running totals.


def test_total_is_applied_as_its_difference_to_the_last_one(controls):
    actions = take_all(controls, PointerTotals(1, 5, -2), PointerTotals(2, 7, -2), WheelTotals(3, 0, 120))

    assert actions == [PointerShift(5, -2), PointerShift(2, 0), WheelTurn(0, 120)]


def test_repeated_total_does_nothing(controls):
    take_all(controls, PointerTotals(1, 5, 5), WheelTotals(2, 0, 120))

    assert take_all(controls, PointerTotals(3, 5, 5), WheelTotals(4, 0, 120)) == []


def test_total_older_than_the_last_one_does_nothing(controls):
    take_all(controls, PointerTotals(7, 30, 0))

    assert take_all(controls, PointerTotals(6, 20, 0)) == []


def test_totals_wrap_at_32_bits(controls):
    take_all(controls, WheelTotals(1, 0, (1 << 31) - 40))

    assert take_all(controls, WheelTotals(2, 0, -(1 << 31) + 80)) == [WheelTurn(0, 120)]


def test_pointer_and_wheel_totals_do_not_mix(controls):
    assert take_all(controls, PointerTotals(1, 10, 10), WheelTotals(2, 10, 10), PointerTotals(3, 11, 10)) == [
        PointerShift(10, 10),
        WheelTurn(10, 10),
        PointerShift(1, 0),
    ]


def test_totals_from_before_a_button_still_count(controls):
    take_all(controls, Button(5, 0, is_down=True, is_locked=False, x=1, y=1))

    assert take_all(controls, WheelTotals(4, 0, 120)) == [WheelTurn(0, 120)]


_STEPS = st.lists(
    st.tuples(st.integers(-(1 << 30), 1 << 30), st.integers(-(1 << 30), 1 << 30), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(_STEPS, st.integers(0, 0xFFFF), st.data())
def test_no_loss_or_reordering_of_motion_changes_where_a_movement_ends(steps, first_sequence, data):
    messages = []
    x = y = 0
    for number, (dx, dy, is_wheel) in enumerate(steps):
        x, y = x + dx, y + dy
        kind = WheelTotals if is_wheel else PointerTotals
        messages.append(kind((first_sequence + number) & 0xFFFF, signed(x), signed(y)))
    end = [
        PointerTotals((first_sequence + len(steps)) & 0xFFFF, signed(x), signed(y)),
        WheelTotals((first_sequence + len(steps) + 1) & 0xFFFF, signed(x), signed(y)),
    ]
    arrived = data.draw(st.permutations([message for message in messages if data.draw(st.booleans())]))

    actions = take_all(Controls(), *arrived, *end)

    # Differences are those of numbers modulo 2^32, as a counter of 32 bits has it.
    assert [signed(total) for total in shifted(actions)] == [signed(x), signed(y)]
    assert [signed(total) for total in turned(actions)] == [signed(x), signed(y)]


@given(st.data())
def test_buttons_and_lost_motion_lead_to_the_same_place_as_a_perfect_path(data):
    kinds = data.draw(st.lists(st.sampled_from(["move", "down", "up"]), max_size=30))
    messages = []
    for sequence, kind in enumerate(kinds, 1):
        total = 3 * sequence
        if kind == "move":
            messages.append(PointerTotals(sequence, total, -total))
        else:
            messages.append(Button(sequence, 0, kind == "down", is_locked=True, x=total, y=-total))
    end = PointerTotals(len(kinds) + 1, 3 * len(kinds) + 3, -3 * len(kinds) - 3)
    lossy = [message for message in messages if isinstance(message, Button) or data.draw(st.booleans())]

    perfect, actual = take_all(Controls(), *messages, end), take_all(Controls(), *lossy, end)

    assert shifted(actual) == shifted(perfect) == (end.x, end.y)
    buttons = [action for action in perfect if isinstance(action, ButtonChange)]
    assert [action for action in actual if isinstance(action, ButtonChange)] == buttons


# Positions and buttons.


def test_position_older_than_a_newer_one_is_dropped(controls):
    assert take_all(controls, Pointer(9, 5, 5), Pointer(8, 1, 1)) == [PointerMove(5, 5)]


def test_position_from_before_the_last_button_is_dropped(controls):
    take_all(controls, Button(10, 0, is_down=True, is_locked=False, x=500, y=600))

    assert take_all(controls, Pointer(9, 1, 1)) == []
    assert take_all(controls, Pointer(11, 501, 600)) == [PointerMove(501, 600)]


def test_position_is_taken_after_half_a_circle_of_other_messages(controls):
    take_all(controls, Pointer(0, 1, 1), Button(1, 0, is_down=True, is_locked=False, x=1, y=1))
    for sequence in range(2, 40_000):
        controls.take(WheelTotals(sequence, 0, sequence), 0)

    assert take_all(controls, Pointer(40_000, 7, 7)) == [PointerMove(7, 7)]


def test_total_is_taken_after_half_a_circle_of_other_messages(controls):
    take_all(controls, PointerTotals(0, 1, 1))
    for sequence in range(1, 40_000):
        controls.take(Pointer(sequence, 5, 5), 0)

    assert take_all(controls, PointerTotals(40_000, 3, 1)) == [PointerShift(2, 0)]


def test_button_of_a_free_pointer_goes_to_its_place_first(controls):
    assert take_all(controls, Button(1, 2, is_down=True, is_locked=False, x=100, y=200)) == [
        PointerMove(100, 200),
        ButtonChange(2, is_down=True),
    ]


def test_button_of_a_locked_pointer_moves_by_the_rest_of_the_total(controls):
    take_all(controls, PointerTotals(1, 10, 0))

    # The motion message with sequence 2 was lost.
    assert take_all(controls, Button(3, 0, is_down=True, is_locked=True, x=25, y=1)) == [
        PointerShift(15, 1),
        ButtonChange(0, is_down=True),
    ]
    assert take_all(controls, PointerTotals(2, 15, 0)) == []


def test_button_that_is_down_already_is_not_pressed_again(controls):
    down = Button(1, 0, is_down=True, is_locked=False, x=1, y=1)
    take_all(controls, down)

    assert take_all(controls, Button(2, 0, is_down=True, is_locked=False, x=2, y=2)) == [PointerMove(2, 2)]


# Keys.


def test_key_goes_down_and_up_once_however_often_it_is_said(controls):
    assert take_all(
        controls,
        Key(1, "KeyA", is_down=True),
        Key(2, "KeyA", is_down=True),
        Key(3, "KeyA", is_down=False),
        Key(4, "KeyA", is_down=False),
    ) == [KeyChange("KeyA", is_down=True), KeyChange("KeyA", is_down=False)]


def test_text_is_passed_on(controls):
    assert take_all(controls, Text(1, "höre")) == [TextEntry("höre")]


def test_text_in_pieces_is_entered_once_and_whole(controls):
    pieces = Text(1, "a long ", has_more=True), Text(2, "text in ", has_more=True), Text(3, "pieces")

    assert [controls.take(piece, 0) for piece in pieces] == [[], [], [TextEntry("a long text in pieces")]]
    assert take_all(controls, Text(4, "next")) == [TextEntry("next")]


def test_motion_between_its_pieces_does_not_break_a_text_off(controls):
    motion = Pointer(2, 5, 5), Recap(3, 2, ())

    actions = take_all(controls, Text(1, "one ", has_more=True), *motion, Text(4, "two"))

    assert actions == [PointerMove(5, 5), TextEntry("one two")]


@pytest.mark.parametrize("message", [Key(2, "KeyA", is_down=True), Held(2, 0, ()), ReleaseAll(2)])
def test_text_that_is_broken_off_is_dropped(controls, message):
    actions = take_all(controls, Text(1, "cut ", has_more=True), message, Text(3, "whole"))

    assert [action for action in actions if isinstance(action, TextEntry)] == [TextEntry("whole")]


def test_text_goes_on_after_everything_was_released(controls):
    controls.take(Text(1, "one ", has_more=True), 0)
    controls.release()

    assert take_all(controls, Text(2, "two")) == [TextEntry("one two")]


def test_text_is_at_most_as_long_as_the_protocol_allows(controls):
    pieces = ["\u00e9" * (MAX_TEXT_BYTES // 2)] * (MAX_ENTRY_BYTES // MAX_TEXT_BYTES)
    *first, last = [Text(number, piece, has_more=True) for number, piece in enumerate(pieces, 1)]

    take_all(controls, *first)

    assert take_all(controls, Text(last.sequence, last.text)) == [TextEntry("".join(pieces))]
    take_all(controls, *[Text(100 + piece.sequence, piece.text, has_more=True) for piece in (*first, last)])
    with pytest.raises(RemoteProtocolError, match="a text of more than 32768 bytes"):
        controls.take(Text(200, "x"), 0)


def test_more_keys_than_a_keyboard_is_held_with_are_refused(controls):
    for number in range(1, 33):
        controls.take(Key(number, f"Key{number}", is_down=True), 0)

    with pytest.raises(RemoteProtocolError, match="32 keys"):
        controls.take(Key(33, "KeyOneMore", is_down=True), 0)


# What is held.


def hold(controls):
    take_all(
        controls,
        Key(1, "ShiftLeft", is_down=True),
        Key(2, "KeyA", is_down=True),
        Button(3, 1, is_down=True, is_locked=True, x=0, y=0),
    )


def test_held_set_releases_what_it_lacks(controls):
    hold(controls)

    assert take_all(controls, Held(4, 0, ("ShiftLeft",))) == [
        ButtonChange(1, is_down=False),
        KeyChange("KeyA", is_down=False),
    ]


def test_held_set_presses_nothing(controls):
    hold(controls)

    assert take_all(controls, Held(4, 0b11111, ("ShiftLeft", "KeyA", "KeyB"))) == []
    assert take_all(controls, Key(5, "KeyB", is_down=False)) == []


def test_release_all_lets_go_of_everything_once(controls):
    hold(controls)

    assert take_all(controls, ReleaseAll(4), ReleaseAll(5)) == [
        ButtonChange(1, is_down=False),
        KeyChange("KeyA", is_down=False),
        KeyChange("ShiftLeft", is_down=False),
    ]


def test_release_keeps_the_totals(controls):
    take_all(controls, PointerTotals(1, 10, 10))
    controls.release()

    assert take_all(controls, PointerTotals(2, 11, 10)) == [PointerShift(1, 0)]


def test_nothing_expires_while_nothing_is_held(controls):
    controls.take(Key(1, "KeyA", is_down=True), 1_000)
    controls.take(Key(2, "KeyA", is_down=False), 2_000)

    assert controls.expires_at_us is None


def test_held_set_puts_off_the_release(controls):
    controls.take(Key(1, "KeyA", is_down=True), 1_000)
    controls.take(Held(2, 0, ("KeyA",)), 101_000)

    assert controls.expires_at_us == 101_000 + HELD_TIMEOUT_US


def test_motion_does_not_put_off_the_release(controls):
    controls.take(Key(1, "KeyA", is_down=True), 1_000)
    controls.take(Pointer(2, 5, 5), 400_000)
    controls.take(WheelTotals(3, 0, 120), 450_000)

    assert controls.expires_at_us == 1_000 + HELD_TIMEOUT_US


def test_newest_sequence_is_not_that_of_a_late_message(controls):
    take_all(controls, Pointer(0xFFFF, 1, 1), Pointer(2, 2, 2), Pointer(1, 3, 3))

    assert controls.newest_sequence == 2
