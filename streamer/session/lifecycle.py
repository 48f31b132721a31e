"""States and transitions of session, viewer and peer, as tables. Nothing else assigns a state.

Rules of this file: a table maps (state, trigger) to the next state; a pair that is missing is illegal. What follows
from a transition is done by the owner of the machine, never here.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

from streamer.errors import LocalProtocolError


class SessionState(Enum):
    """A session is usable while it is live."""

    NEW = "new"
    OPENING = "opening"
    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"


class SessionTrigger(Enum):
    """What changes the state of a session."""

    OPEN = "open"
    OPENED = "opened"
    STOP = "stop"
    CLOSED = "closed"


class ViewerState(Enum):
    """A viewer outlives its peers: it is away between two of them."""

    CONNECTING = "connecting"
    WATCHING = "watching"
    PAUSED = "paused"
    AWAY = "away"
    GONE = "gone"


class ViewerTrigger(Enum):
    """What changes the state of a viewer."""

    CONNECTED = "connected"
    PAUSE = "pause"
    CONTINUE = "continue"
    LOST = "lost"
    RETURN = "return"
    LEAVE = "leave"


class PeerState(Enum):
    """A peer lives once, from offer to close."""

    NEW = "new"
    OFFERED = "offered"
    ANSWERED = "answered"
    CONNECTED = "connected"
    CLOSED = "closed"


class PeerTrigger(Enum):
    """What changes the state of a peer."""

    OFFER = "offer"
    ANSWER = "answer"
    CONNECT = "connect"
    CLOSE = "close"


SESSION: Mapping[tuple[SessionState, SessionTrigger], SessionState] = {
    (SessionState.NEW, SessionTrigger.OPEN): SessionState.OPENING,
    (SessionState.OPENING, SessionTrigger.OPENED): SessionState.LIVE,
    (SessionState.OPENING, SessionTrigger.CLOSED): SessionState.ENDED,
    (SessionState.LIVE, SessionTrigger.STOP): SessionState.ENDING,
    (SessionState.ENDING, SessionTrigger.CLOSED): SessionState.ENDED,
}

VIEWER: Mapping[tuple[ViewerState, ViewerTrigger], ViewerState] = {
    (ViewerState.CONNECTING, ViewerTrigger.CONNECTED): ViewerState.WATCHING,
    (ViewerState.CONNECTING, ViewerTrigger.LOST): ViewerState.AWAY,
    (ViewerState.CONNECTING, ViewerTrigger.RETURN): ViewerState.CONNECTING,
    (ViewerState.CONNECTING, ViewerTrigger.LEAVE): ViewerState.GONE,
    (ViewerState.WATCHING, ViewerTrigger.PAUSE): ViewerState.PAUSED,
    (ViewerState.WATCHING, ViewerTrigger.LOST): ViewerState.AWAY,
    (ViewerState.WATCHING, ViewerTrigger.RETURN): ViewerState.CONNECTING,
    (ViewerState.WATCHING, ViewerTrigger.LEAVE): ViewerState.GONE,
    (ViewerState.PAUSED, ViewerTrigger.CONTINUE): ViewerState.WATCHING,
    (ViewerState.PAUSED, ViewerTrigger.LOST): ViewerState.AWAY,
    (ViewerState.PAUSED, ViewerTrigger.RETURN): ViewerState.CONNECTING,
    (ViewerState.PAUSED, ViewerTrigger.LEAVE): ViewerState.GONE,
    (ViewerState.AWAY, ViewerTrigger.RETURN): ViewerState.CONNECTING,
    (ViewerState.AWAY, ViewerTrigger.LEAVE): ViewerState.GONE,
}

PEER: Mapping[tuple[PeerState, PeerTrigger], PeerState] = {
    (PeerState.NEW, PeerTrigger.OFFER): PeerState.OFFERED,
    (PeerState.NEW, PeerTrigger.CLOSE): PeerState.CLOSED,
    (PeerState.OFFERED, PeerTrigger.ANSWER): PeerState.ANSWERED,
    (PeerState.OFFERED, PeerTrigger.CLOSE): PeerState.CLOSED,
    (PeerState.ANSWERED, PeerTrigger.CONNECT): PeerState.CONNECTED,
    (PeerState.ANSWERED, PeerTrigger.CLOSE): PeerState.CLOSED,
    (PeerState.CONNECTED, PeerTrigger.CLOSE): PeerState.CLOSED,
}

S = TypeVar("S", bound=Enum)
T = TypeVar("T", bound=Enum)


class Lifecycle(Generic[S, T]):
    """One machine over one table."""

    def __init__(self, table: Mapping[tuple[S, T], S], start: S) -> None:
        self._table = table
        self._state = start

    @property
    def state(self) -> S:
        return self._state

    def allows(self, trigger: T) -> bool:
        return (self._state, trigger) in self._table

    def fire(self, trigger: T) -> S:
        """Move to the next state and return it.

        Raises:
            LocalProtocolError: the table has no such transition.
        """
        if not self.allows(trigger):
            raise LocalProtocolError(f"{trigger.value!r} is not allowed while {self._state.value!r}")
        self._state = self._table[self._state, trigger]
        return self._state
