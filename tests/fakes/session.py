"""A real session with peers that have no network, entered through its own door or through a socket pair."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from streamer.config import Config
from streamer.media.frame import EncodedFrame
from streamer.protocol.control import Seat
from streamer.protocol.signaling import Answer, Bye, ByeCode, Offer
from streamer.session.door import Door, Ended, Event, Join, Leave, Opened, Said, Say
from streamer.session.hub import Rendition, RenditionKey
from streamer.session.session import Session
from streamer.session.stalls import LOOKS
from streamer.session.wire import MAX_LINE_BYTES, RemoteDoor, serve_door
from tests.fakes.peer import FakePeer, FakePeers
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.waiting import until

SIZE = "320x180"
# How often a session looks at its renditions.
_LOOK_US = 250_000


def config(**changes: Any) -> Config:
    """Return settings for a small session with one quick codec, whose pictures the test pushes."""
    content = {"session": {"source": "callback", "size": SIZE}, "video": {"codecs": ["vp8"]}}
    for section, keys in changes.items():
        content[section] = {**content.get(section, {}), **keys}
    return Config.model_validate(content)


class SessionRig:
    """A session, its door, and what came out of it."""

    def __init__(self, session: Session, door: Door, peers: FakePeers, clock: SteppedClock) -> None:
        self.session = session
        self.door = door
        self.peers = peers
        self.clock = clock
        self.events: list[Event] = []
        door.subscribe(self.events.append)

    @property
    def source(self) -> Any:
        return self.session.source

    @property
    def renditions(self) -> dict[RenditionKey, Rendition]:
        return self.session._arrangement.renditions

    def rendition_of(self, viewer: str) -> RenditionKey | None:
        return self.session._arrangement.rendition_of(viewer)

    def push(self, width_px: int = 320, height_px: int = 180, *, after_us: int = 20_000) -> None:
        """Let time pass and push a picture as the program behind the session does."""
        self.clock.step(after_us)
        self.source.push(np.zeros((height_px, width_px, 3), np.uint8))

    async def sit_out(self, leaving: str | None = None) -> None:
        """Wait until all renditions are at a picture, and let the session look until they must count as stuck.

        Before it looks, a viewer may leave.
        """
        studio = self.session._studio
        await until(lambda: all(rendition.picture_at_work for rendition in studio.renditions))
        if leaving is not None:
            self.door.submit(Leave(leaving, ByeCode.LEFT, "the page was closed"))
        for _ in range(LOOKS):
            before = self.clock.timers
            self.clock.step(_LOOK_US)
            await until(lambda before=before: self.clock.timers >= before or self.of_kind(Ended))

    def said_to(self, viewer: str) -> list[Offer | Bye]:
        return [event.message for event in self.events if isinstance(event, Say) and event.viewer == viewer]

    def of_kind(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def join(self, viewer: str) -> FakePeer:
        """Let a viewer join and return its peer, which has offered."""
        before = len(self.said_to(viewer))
        self.door.submit(Join(viewer))
        await until(lambda: len(self.said_to(viewer)) > before)
        return self.peers.made[-1]

    async def answer(self, viewer: str, sdp: str = "vp8") -> None:
        offer = self.said_to(viewer)[-1]
        assert isinstance(offer, Offer), offer
        self.door.submit(Said(viewer, Answer(generation=offer.generation, sdp=sdp)))

    async def connect(self, viewer: str) -> FakePeer:
        """Let a viewer join, answer and connect."""
        peer = await self.join(viewer)
        await self.answer(viewer)
        await until(lambda: peer.codec)
        peer.connect()
        return peer

    async def byes(self, viewer: str, count: int = 1) -> list[Bye]:
        """Wait for goodbyes and return all so far."""

        def heard() -> list[Bye]:
            return [message for message in self.said_to(viewer) if isinstance(message, Bye)]

        await until(lambda: len(heard()) >= count)
        return heard()


async def frames(peer: FakePeer, count: int) -> list[EncodedFrame]:
    """Wait until a viewer has got so many frames; return all so far."""
    await until(lambda: len(peer.video.frames) >= count)
    return peer.video.frames


def holder(*peers: FakePeer) -> list[bool]:
    """Return which of these peers were last told that they hold the seat."""
    return [peer.heard(Seat)[-1].is_holder for peer in peers]


@asynccontextmanager
async def open_session(*, through_socket: bool = False, **changes: Any) -> AsyncIterator[SessionRig]:
    """Open a session with these changes to its configuration; close it at the end."""
    clock, peers = SteppedClock(), FakePeers()
    session = Session(config(**changes), peers, clock)
    await session.open()
    try:
        if through_socket:
            async with _socket_door(session) as door:
                rig = SessionRig(session, door, peers, clock)
                await until(lambda: rig.of_kind(Opened))
                yield rig
        else:
            yield SessionRig(session, session, peers, clock)
    finally:
        await session.close()


@asynccontextmanager
async def _socket_door(session: Session) -> AsyncIterator[Door]:
    inside, outside = socket.socketpair()
    served = await asyncio.open_connection(sock=inside, limit=MAX_LINE_BYTES)
    remote = RemoteDoor(*await asyncio.open_connection(sock=outside, limit=MAX_LINE_BYTES))
    tasks = [asyncio.create_task(serve_door(session, *served)), asyncio.create_task(remote.run())]
    try:
        yield remote
    finally:
        await session.close()
        await asyncio.gather(*tasks)
