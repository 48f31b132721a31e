"""The only way into a session from outside: commands in, events out, nothing but `protocol` values.

Whoever stands outside (the HTTP server, a gateway) names viewers and carries their signaling; what a message means is
decided inside. A session can run in this process, or in one of its own behind a socket (`wire.py`): the same values
cross either way, so nothing here may hold a reference to anything that lives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from streamer.protocol.signaling import Answer, Bye, ByeCode, Candidate, EndOfCandidates, Offer


@dataclass(frozen=True, slots=True)
class Join:
    """A viewer has come and is entitled to be here. A viewer of the same name that is still in is replaced."""

    viewer: str


@dataclass(frozen=True, slots=True)
class Said:
    """A viewer sent a signaling message."""

    viewer: str
    message: Answer | Candidate | EndOfCandidates


@dataclass(frozen=True, slots=True)
class Leave:
    """A viewer has gone. With `may_return` its place in the line is kept for a short while."""

    viewer: str
    code: ByeCode
    reason: str
    may_return: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The session shall say goodbye to everybody and end."""

    reason: str


Command: TypeAlias = Join | Said | Leave | Stop


@dataclass(frozen=True, slots=True)
class Opened:
    """The session is live. Told first; `encoder` names what was chosen for each codec, and why."""

    source: str
    width_px: int
    height_px: int
    fps: float
    encoder: str


@dataclass(frozen=True, slots=True)
class Say:
    """Carry this message to a viewer. A `Bye` is the last one: that viewer is not in any more."""

    viewer: str
    message: Offer | Bye


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over. `is_failure` tells a crash or a lost device from an end that was asked for."""

    reason: str
    is_failure: bool


Event: TypeAlias = Opened | Say | Ended
Listener: TypeAlias = Callable[[Event], None]


class Door(Protocol):
    """Used on the event loop. Neither call blocks or raises because of a viewer: failures come back as events."""

    def submit(self, command: Command) -> None:
        """Hand a command in. After `Ended`, commands are ignored."""

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every event from now on, in order; what happened before is repeated as `Opened`."""
