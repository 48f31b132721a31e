"""The signaling socket: who is behind it, what it may say, and which viewer's messages it carries.

Owns sockets and the names of viewers; what a message means is decided behind the door. Nothing that one socket sends
can touch another: malformed, too many or too long messages end that viewer alone.
"""

import asyncio
import logging

from aiohttp import WSMsgType, web

from streamer.clock import Clock
from streamer.config import ServerConfig
from streamer.errors import AuthError, RemoteProtocolError
from streamer.protocol.allowance import Allowance
from streamer.protocol.signaling import (
    MAX_MESSAGE_BYTES,
    Answer,
    Bye,
    ByeCode,
    Candidate,
    EndOfCandidates,
    Hello,
    IceServerEntry,
    Limits,
    ServerMessage,
    ViewerMessage,
    Welcome,
    parse_from_viewer,
)
from streamer.server.auth import Gate
from streamer.server.carrier import PATIENCE_S, Carrier
from streamer.server.resumption import Resumption
from streamer.server.security import HostList, check_origin
from streamer.session.door import Door, Ended, Event, Join, Leave, Said, Say

logger = logging.getLogger(__name__)

# The carrier refuses what is longer without a word; up to here there is time for a sentence.
_MAX_RECEIVED_BYTES = 4 * MAX_MESSAGE_BYTES
# Shorter than the idle limits of common proxies (60 s), long enough to cost nothing.
_HEARTBEAT_S = 20.0
_MS_PER_S = 1000
# Of what a viewer says about itself.
_MAX_LOGGED_CHARACTERS = 100
# A page says hello as soon as its socket is open, so that this many wait for theirs only when something is wrong.
MAX_STRANGERS = 16


class SignalingError(Exception):
    """One socket ends now, with this goodbye. Caught in this file."""

    def __init__(self, code: ByeCode, reason: str, *, retry: bool = False) -> None:
        super().__init__(reason)
        self.bye = Bye(reason=reason, code=code, retry=retry)


class Signaling:
    """All signaling sockets of one session. Used on the event loop."""

    def __init__(
        self,
        door: Door,
        config: ServerConfig,
        clock: Clock,
        *,
        gate: Gate,
        hosts: HostList,
        resumption: Resumption,
        ice_servers: tuple[IceServerEntry, ...] = (),
    ) -> None:
        self._door = door
        self._config = config
        self._clock = clock
        self._gate = gate
        self._hosts = hosts
        self._resumption = resumption
        self._ice_servers = ice_servers
        self._carriers: set[Carrier] = set()
        # Those that have not said hello, the oldest first.
        self._strangers: dict[Carrier, None] = {}
        self._viewers: dict[str, Carrier] = {}
        self._is_open = True
        self._all_gone = asyncio.Event()
        self._all_gone.set()
        door.subscribe(self._hear)

    @property
    def is_open(self) -> bool:
        """Whether viewers can come in."""
        return self._is_open

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket from its first to its last message."""
        check_origin(request, self._hosts)
        if not self._is_open or self._is_full:
            reason = "too many viewers are connected" if self._is_open else "the session has ended"
            raise web.HTTPServiceUnavailable(text=f"{reason}\n")
        # Without compression: nothing here is large, and what is small cannot unpack into something large.
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S, max_msg_size=_MAX_RECEIVED_BYTES, compress=False, timeout=PATIENCE_S
        )
        await socket.prepare(request)
        async with Carrier(socket) as carrier:
            self._carriers.add(carrier)
            self._all_gone.clear()
            self._let_wait(carrier)
            try:
                await self._serve(carrier, request.remote or "unknown")
            finally:
                self._carriers.discard(carrier)
                self._strangers.pop(carrier, None)
                if not self._carriers:
                    self._all_gone.set()
        return socket

    @property
    def _is_full(self) -> bool:
        return len(self._viewers) >= self._config.max_sockets

    def _let_wait(self, carrier: Carrier) -> None:
        """Let a socket wait for its hello, in the place of the one that waits longest if there are too many."""
        if len(self._strangers) >= MAX_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            bye = Bye("too many connections wait to be let in", ByeCode.SESSION_FULL, retry=True)
            oldest.finish(bye, at_once=True)
        self._strangers[carrier] = None

    async def stop(self, reason: str) -> None:
        """Say goodbye to everybody and wait until their sockets are closed."""
        self._end(Bye(reason=reason, code=ByeCode.SERVER_STOPPING, retry=True))
        await self._all_gone.wait()

    def _end(self, bye: Bye) -> None:
        self._is_open = False
        for carrier in self._carriers:
            carrier.finish(bye)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Say):
            self._say(event.viewer, event.message)
        elif isinstance(event, Ended):
            self._end(Bye(reason=event.reason, code=ByeCode.SESSION_ENDED, retry=False))

    def _say(self, viewer: str, message: ServerMessage) -> None:
        carrier = self._viewers.get(viewer)
        if isinstance(message, Bye):
            # The session has let go of this viewer: it needs no Leave any more.
            self._viewers.pop(viewer, None)
            self._resumption.part(viewer, self._clock.now_us())
            if not message.retry:
                self._resumption.forget(viewer)
        if carrier is None:
            return
        if isinstance(message, Bye):
            carrier.finish(message)
        else:
            carrier.say(message)

    async def _serve(self, carrier: Carrier, address: str) -> None:
        viewer = None
        limit = self._config.max_messages_per_s
        allowance = Allowance(limit, burst_messages=limit, now_us=self._clock.now_us())
        try:
            hello = await self._expect_hello(carrier, allowance)
            viewer = self._welcome(carrier, hello)
            logger.info("viewer %s joined from %s", viewer, address)
            while (message := await self._next(carrier, allowance)) is not None and not isinstance(message, Bye):
                self._take(viewer, carrier, message)
            if isinstance(message, Bye):
                why = f"it said {message.reason!r:.{_MAX_LOGGED_CHARACTERS}}"
                self._part(viewer, carrier, message, why, may_return=False)
        except SignalingError as exc:
            # Who had to make room has heard why.
            level = logging.WARNING if carrier.farewell is None else logging.DEBUG
            logger.log(level, "closing the socket of %s (%s) because %s", viewer or "a stranger", address, exc)
            carrier.finish(exc.bye)
            if viewer is not None:
                self._part(viewer, carrier, exc.bye, exc.bye.reason, may_return=False)
        finally:
            if viewer is not None:
                gone = carrier.farewell or Bye("the signaling connection was lost", ByeCode.LEFT, retry=True)
                self._part(viewer, carrier, gone, gone.reason, may_return=True)

    def _take(self, viewer: str, carrier: Carrier, message: Hello | Answer | Candidate | EndOfCandidates) -> None:
        if isinstance(message, Hello):
            raise SignalingError(ByeCode.PROTOCOL_ERROR, "hello was said twice")
        if self._viewers.get(viewer) is carrier:
            self._door.submit(Said(viewer, message))

    async def _expect_hello(self, carrier: Carrier, allowance: Allowance) -> Hello:
        try:
            async with asyncio.timeout(self._config.hello_timeout_ms / _MS_PER_S):
                message = await self._next(carrier, allowance)
        except TimeoutError:
            raise SignalingError(ByeCode.PROTOCOL_ERROR, "no hello came in time", retry=True) from None
        if message is None:
            raise SignalingError(ByeCode.LEFT, "it left without a hello")
        if carrier not in self._strangers:
            raise SignalingError(ByeCode.LEFT, "others took its place before it said hello")
        if not isinstance(message, Hello):
            raise SignalingError(ByeCode.PROTOCOL_ERROR, "the first message must be hello")
        try:
            self._gate.check(message.token)
        except AuthError as exc:
            raise SignalingError(ByeCode.UNAUTHORIZED, str(exc)) from exc
        if self._is_full:
            raise SignalingError(ByeCode.SESSION_FULL, "too many viewers are connected", retry=True)
        del self._strangers[carrier]
        return message

    def _welcome(self, carrier: Carrier, hello: Hello) -> str:
        viewer, secret = self._resumption.enter(hello.resume, self._clock.now_us())
        replaced = self._viewers.get(viewer)
        self._viewers[viewer] = carrier
        if replaced is not None:
            bye = Bye("this viewer came back on another connection", ByeCode.REPLACED, retry=False)
            replaced.finish(bye, at_once=True)
        limits = Limits(message_bytes=MAX_MESSAGE_BYTES, messages_per_s=self._config.max_messages_per_s)
        carrier.say(Welcome(viewer=viewer, resume=secret, ice_servers=self._ice_servers, limits=limits))
        self._door.submit(Join(viewer))
        return viewer

    async def _next(self, carrier: Carrier, allowance: Allowance) -> ViewerMessage | None:
        message = await carrier.receive()
        if message.type is not WSMsgType.TEXT:
            if message.type is WSMsgType.BINARY:
                raise SignalingError(ByeCode.PROTOCOL_ERROR, "signaling is text, not binary")
            return None
        if not allowance.take(self._clock.now_us()):
            limit = self._config.max_messages_per_s
            raise SignalingError(ByeCode.RATE_LIMITED, f"more than {limit} messages in a second", retry=True)
        try:
            return parse_from_viewer(message.data)
        except RemoteProtocolError as exc:
            raise SignalingError(ByeCode.PROTOCOL_ERROR, str(exc)) from exc

    def _part(self, viewer: str, carrier: Carrier, bye: Bye, why: str, *, may_return: bool) -> None:
        if self._viewers.get(viewer) is not carrier:
            return
        del self._viewers[viewer]
        if may_return:
            self._resumption.part(viewer, self._clock.now_us())
        else:
            self._resumption.forget(viewer)
        logger.info("viewer %s left because %s", viewer, why)
        self._door.submit(Leave(viewer, bye.code, bye.reason, may_return=may_return))
