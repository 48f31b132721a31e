"""One WebSocket: messages go out in order from one task, and a goodbye is always the last of them."""

import asyncio
import contextlib
import logging
from collections import deque
from types import TracebackType
from typing import Self

from aiohttp import WSCloseCode, WSMessage, web

from streamer.errors import LocalProtocolError
from streamer.protocol.signaling import Bye, ByeCode, ServerMessage, serialize

logger = logging.getLogger(__name__)

# A peer needs a handful of messages. Who lets this many wait does not read.
_MAX_WAITING_MESSAGES = 64
# How long a viewer may take to read a message that fills its socket's buffer, or to close its side.
PATIENCE_S = 2.0


class Carrier:
    """Owns a prepared socket and the task that writes to it; both are gone when the `async with` block ends.

    Used on the event loop. `say` and `finish` return at once.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._is_finished = False
        self._farewell: Bye | None = None
        self._patience_s = PATIENCE_S
        self._writer: asyncio.Task[None] | None = None

    @property
    def farewell(self) -> Bye | None:
        """The goodbye that has been said or waits to be said."""
        return self._farewell

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write(), name="signaling writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish()
        assert self._writer is not None
        await self._writer

    def say(self, message: ServerMessage) -> None:
        """Send a message after those that wait. Nothing follows a goodbye."""
        if self._is_finished:
            return
        if len(self._waiting) >= _MAX_WAITING_MESSAGES:
            logger.warning("closing a socket because %d messages wait for its viewer", _MAX_WAITING_MESSAGES)
            self._waiting.clear()
            self._finish()
            return
        try:
            self._waiting.append(serialize(message))
        except LocalProtocolError:
            # A bug, but of one message: it must not reach whoever told all viewers something.
            logger.exception("closing a socket because a message cannot be sent")
            self.finish(Bye("the server made a mistake", ByeCode.PROTOCOL_ERROR, retry=True))
        self._wake.set()

    def finish(self, bye: Bye, *, at_once: bool = False) -> None:
        """Say goodbye after what waits, then close. Only the first goodbye counts.

        With `at_once` nobody waits for the viewer to read it or to close its side: another socket has its place.
        """
        if at_once:
            self._patience_s = 0.0
        if self._is_finished:
            return
        self._farewell = bye
        self._waiting.append(serialize(bye))
        self._finish()

    async def receive(self) -> WSMessage:
        """Wait for the next message; the last one is of a closing type."""
        return await self._socket.receive()

    def _finish(self) -> None:
        self._is_finished = True
        self._wake.set()

    async def _write(self) -> None:
        while await self._send_waiting() and not self._is_finished:
            await self._wake.wait()
            self._wake.clear()
        is_normal = self._farewell is None or self._farewell.code is ByeCode.LEFT
        code = WSCloseCode.OK if is_normal else WSCloseCode.POLICY_VIOLATION
        # The close frame is written before the wait for the other side begins.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                await self._socket.close(code=code)

    async def _send_waiting(self) -> bool:
        try:
            async with asyncio.timeout(self._patience_s):
                while self._waiting:
                    await self._socket.send_str(self._waiting.popleft())
        except (ConnectionError, TimeoutError) as exc:
            logger.debug("a socket is lost because %r", exc)
            return False
        return True
