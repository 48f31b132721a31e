"""Events that arrive on two channels, in order on one and in recaps on the other, are applied once and in order."""

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from streamer.protocol.actions import ButtonChange, InputAction, KeyChange, PointerMove, TextEntry, WheelTurn
from streamer.protocol.input import (
    Button,
    Held,
    Key,
    KeysEvent,
    KeysMessage,
    MotionMessage,
    Pointer,
    Recap,
    ReleaseAll,
    Text,
    WheelTotals,
)
from streamer.session.controls import HELD_TIMEOUT_US, Controls
from tests.fakes.controls import take_all

A, B, C = (Key(number, code, is_down=True) for number, code in ((1, "KeyA"), (3, "KeyB"), (5, "KeyC")))
A_DOWN, B_DOWN, C_DOWN = (KeyChange(key.code, is_down=True) for key in (A, B, C))


def test_recap_brings_what_is_still_to_come_on_the_channel_of_keys(controls):
    assert take_all(controls, Recap(6, 6, (A, B, C))) == [A_DOWN, B_DOWN, C_DOWN]


def test_event_that_a_recap_has_brought_does_nothing(controls):
    text = Text(1, "once")

    assert take_all(controls, Recap(2, 2, (text,)), text, Recap(3, 3, (text,))) == [TextEntry("once")]


def test_recap_brings_what_is_new_in_it(controls):
    assert take_all(controls, A, Recap(6, 6, (A, B, C))) == [A_DOWN, B_DOWN, C_DOWN]


def test_recap_that_leaves_out_what_has_not_come_does_nothing(controls):
    assert take_all(controls, Recap(6, 5, (B, C))) == []
    assert take_all(controls, A, Recap(7, 6, (B, C))) == [A_DOWN, B_DOWN, C_DOWN]


def test_recap_reaches_back_to_what_another_one_has_brought(controls):
    assert take_all(controls, Recap(2, 2, (A,)), Recap(6, 5, (B, C))) == [A_DOWN, B_DOWN, C_DOWN]


def test_held_set_that_recaps_have_overtaken_releases_nothing(controls):
    assert take_all(controls, A, Recap(4, 4, (A, B)), Held(2, 0, ("KeyA",))) == [A_DOWN, B_DOWN]


def test_recap_tells_of_a_release_of_everything(controls):
    assert take_all(controls, A, Recap(3, 3, (A, ReleaseAll(2)))) == [A_DOWN, KeyChange("KeyA", is_down=False)]


def test_position_from_before_a_repeated_button_is_dropped(controls):
    button = Button(2, 0, is_down=True, is_locked=False, x=5, y=6)

    actions = take_all(controls, Recap(3, 3, (button,)), Pointer(1, 1, 1), Pointer(4, 7, 7))

    assert actions == [PointerMove(5, 6), ButtonChange(0, is_down=True), PointerMove(7, 7)]


def test_recap_puts_off_the_release_even_if_it_has_nothing_new(controls):
    controls.take(A, 1_000)
    controls.take(Recap(2, 1, ()), 400_000)

    assert controls.expires_at_us == 400_000 + HELD_TIMEOUT_US


def test_recap_that_leaves_something_out_does_not_put_off_the_release(controls):
    controls.take(A, 1_000)
    controls.take(Recap(6, 2, (C,)), 400_000)

    assert controls.expires_at_us == 1_000 + HELD_TIMEOUT_US


def test_recap_that_leaves_something_out_is_not_the_newest_message(controls):
    take_all(controls, A, Recap(6, 2, (C,)))
    refused = controls.newest_sequence
    take_all(controls, Recap(7, 6, (B, C)))

    assert (refused, controls.newest_sequence) == (1, 7)


# Whatever is lost, late or overtaken.


class PageModel:
    """What a page sends: events on one channel, recaps of the last few of them on the other."""

    def __init__(self, number: int, most_events: int) -> None:
        self.keys: list[KeysMessage] = []
        self.motion: list[MotionMessage] = []
        self._number = number
        self._most_events = most_events
        self._before_number = 0
        self._recent: list[tuple[int, KeysEvent]] = []
        self._held: dict[str, None] = {}

    def toggle(self, code: str) -> None:
        is_down = code not in self._held
        if is_down:
            self._held[code] = None
        else:
            del self._held[code]
        self._event(lambda sequence: Key(sequence, code, is_down))
        self._recap()

    def click(self) -> None:
        """Press and release at once: one recap has both."""
        self._event(lambda sequence: Button(sequence, 0, is_down=True, is_locked=False, x=1, y=2))
        self._event(lambda sequence: Button(sequence, 0, is_down=False, is_locked=False, x=1, y=2))
        self._recap()

    def text(self) -> None:
        self._event(lambda sequence: Text(sequence, f"text {sequence}"))
        self._recap()

    def long_text(self) -> None:
        """Enter what is not repeated, nor anything before it; its end, which is short, is."""
        self.keys.append(Text(self._next(), f"long {self._number}, ", has_more=True))
        self._recent, self._before_number = [], self._number
        self._recap()
        self.text()

    def release_all(self) -> None:
        self._held.clear()
        self._event(ReleaseAll)
        self._recap()

    def beat(self) -> None:
        self.keys.append(Held(self._next(), 0, tuple(self._held)))
        self._recap()

    def turn(self) -> None:
        self.motion.append(WheelTotals(self._next(), 0, self._number))

    def _event(self, make: Callable[[int], KeysEvent]) -> None:
        event = make(self._next())
        self.keys.append(event)
        self._recent.append((self._number, event))
        if len(self._recent) > self._most_events:
            self._before_number, _ = self._recent.pop(0)

    def _recap(self) -> None:
        sequence = self._next()
        events = tuple(event for _, event in self._recent)
        self.motion.append(Recap(sequence, self._number - self._before_number, events))

    def _next(self) -> int:
        self._number += 1
        return self._number & 0xFFFF


_STEPS = {
    "a": lambda page: page.toggle("KeyA"),
    "b": lambda page: page.toggle("KeyB"),
    "click": PageModel.click,
    "text": PageModel.text,
    "long": PageModel.long_text,
    "release": PageModel.release_all,
    "beat": PageModel.beat,
    "turn": PageModel.turn,
}


def controls_after(number: int) -> Controls:
    """Return controls that have heard of a wheel for so many messages."""
    controls = Controls()
    for heard in (*range(0, number, 30_000), number):
        controls.take(WheelTotals(heard & 0xFFFF, 0, 0), 0)
    return controls


def events_of(actions: list[InputAction]) -> list[InputAction]:
    return [action for action in actions if not isinstance(action, WheelTurn)]


@given(
    st.lists(st.sampled_from(sorted(_STEPS)), max_size=12),
    st.sampled_from([0, 65_530, 140_000]),
    st.integers(1, 4),
    st.data(),
)
def test_events_are_applied_once_and_in_order_whatever_the_channels_do(steps, number, most_events, data):
    page = PageModel(number, most_events)
    for step in steps:
        _STEPS[step](page)
    # Of motion anything may be missing, come twice and come at any time; keys come late, but in order.
    motion = data.draw(st.lists(st.sampled_from(page.motion), max_size=24)) if page.motion else []
    arrivals = data.draw(st.permutations([*motion, *([None] * len(page.keys))]))
    keys = iter(page.keys)
    arrived = [next(keys) if message is None else message for message in arrivals]

    actual = take_all(controls_after(number), *arrived)

    assert events_of(actual) == take_all(controls_after(number), *page.keys)


@given(
    st.lists(st.sampled_from(sorted({*_STEPS} - {"long"})), min_size=1, max_size=12),
    st.sampled_from([0, 65_530, 140_000]),
    st.integers(0, 1),
)
@example(["text"], 140_000, 0)
def test_events_are_applied_without_the_channel_of_keys_while_no_two_recaps_in_a_row_are_lost(steps, number, parity):
    page = PageModel(number, most_events=4)
    for step in [*steps, "turn", "beat", "beat"]:
        _STEPS[step](page)
    recaps = [message for message in page.motion if isinstance(message, Recap)]

    actual = take_all(controls_after(number), *recaps[parity::2])

    assert actual == take_all(controls_after(number), *page.keys)
