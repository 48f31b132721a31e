"""A seat whose input goes to a backend that keeps it."""

from streamer.errors import InputError
from streamer.protocol.actions import InputAction, TextEntry
from streamer.protocol.input import InputMessage, serialize
from streamer.session.seat import Seat
from tests.fakes.stepped_clock import SteppedClock


class SeatBackend:
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


class SeatRig:
    """A seat on a clock that is stepped, and what it did."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.backend = SeatBackend()
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
