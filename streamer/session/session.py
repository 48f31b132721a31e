"""A session: its studio, its seat and its viewers, behind the door.

Commands change viewers; viewers take renditions through the hub and send input through the seat; everything that
outsiders must know leaves as an event. Runs on the event loop; the feed and each rendition have a thread of their own.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from streamer.alarm import Timer
from streamer.clock import Clock
from streamer.config import Config
from streamer.errors import CapacityError, StreamerError
from streamer.media.frame import Resolution
from streamer.protocol import control
from streamer.protocol.signaling import Bye, ByeCode, Offer
from streamer.session.arrangement import Arrangement
from streamer.session.door import Command, Ended, Event, Join, Leave, Listener, Opened, Said, Say, Stop
from streamer.session.hub import RenditionKey
from streamer.session.lifecycle import SESSION, Lifecycle, SessionState, SessionTrigger, ViewerState
from streamer.session.link import Link
from streamer.session.report import REPORT_INTERVAL_US
from streamer.session.seat import Seat
from streamer.session.studio import Studio, open_studio
from streamer.session.tasks import Tasks, attempt, complete
from streamer.session.viewer import Viewer
from streamer.sources.base import EncodedSource, FrameSource
from streamer.transport.base import Peer, PeerObserver

logger = logging.getLogger(__name__)

# Makes a peer for an observer, offering these codecs for pictures of up to this size.
MakePeer: TypeAlias = Callable[[PeerObserver, tuple[str, ...], Resolution], Peer]


class Session:
    """One session, and the `Door` of whoever stands outside. Event loop only."""

    def __init__(self, config: Config, make_peer: MakePeer, clock: Clock) -> None:
        self._config = config
        self._make_peer = make_peer
        self._clock = clock
        self._lifecycle = Lifecycle(SESSION, SessionState.NEW)
        self._tasks = Tasks()
        # Apart from the others, since these are waited for and never cancelled.
        self._closings = Tasks()
        self._listeners: list[Listener] = []
        self._viewers: dict[str, Viewer] = {}
        self._away: dict[str, Timer] = {}
        self._closing: asyncio.Task[None] | None = None
        self._seat = Seat(clock, self._tell_seats, self._tell_text_refused)
        self._studio: Studio
        self._arrangement: Arrangement

    @property
    def state(self) -> SessionState:
        return self._lifecycle.state

    @property
    def source(self) -> FrameSource | EncodedSource:
        """What the pictures come from, once the session is open."""
        return self._studio.source

    async def open(self) -> None:
        """Open devices and encoders. When this fails or is cancelled, nothing is left open; there is no second try.

        Raises:
            ConfigError: something that the configuration names is not there.
            DeviceError: a device does not open, or no encoder can run here.
        """
        loop = asyncio.get_running_loop()
        self._lifecycle.fire(SessionTrigger.OPEN)

        def post(what: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(what)

        try:
            self._studio = await open_studio(self._config, self, self._clock, post, self._seat.last_input)
        except BaseException:
            self._lifecycle.fire(SessionTrigger.CLOSED)
            raise
        self._arrangement = Arrangement(self._studio, self._clock, self)
        self._seat.connect(self._studio.input_backend, self._studio.hasten, is_open=self._studio.takes_input)
        self._tasks.start(self._report(), "report")
        self._tasks.start(self._arrangement.run(), "arrangement of viewers")
        self._tasks.start(self._studio.watch(), "watch over the desktop")
        self._lifecycle.fire(SessionTrigger.OPENED)
        self._tell(self._describe())

    async def close(self, reason: str = "the server is stopping", *, is_failure: bool = False) -> None:
        """Say goodbye to everybody, give up everything, and return when that is done."""
        self._end(reason, ByeCode.SERVER_STOPPING, is_failure=is_failure)
        if self._closing is not None:
            await asyncio.shield(self._closing)

    # The door.

    def submit(self, command: Command) -> None:
        if self.state is not SessionState.LIVE:
            return
        match command:
            case Join():
                self._join(command.viewer)
            case Said():
                if command.viewer in self._viewers:
                    self._viewers[command.viewer].link.said(command.message)
            case Leave():
                if command.viewer in self._viewers:
                    self._lose(self._viewers[command.viewer], may_return=command.may_return)
            case Stop():
                self._end(command.reason, ByeCode.SERVER_STOPPING, is_failure=False)

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)
        if self.state is SessionState.LIVE:
            listener(self._describe())

    # What viewers tell (`ViewerOwner`).

    def make_peer(self, observer: PeerObserver) -> Peer:
        return self._make_peer(observer, self._studio.codecs, self._studio.largest)

    def say(self, viewer: Viewer, offer: Offer) -> None:
        self._tell(Say(viewer.name, offer))

    def takes_video(self, viewer: Viewer) -> None:
        self._arrangement.join(viewer)
        self._tell_stream(viewer)

    def takes_nothing(self, viewer: Viewer) -> None:
        self._arrangement.leave(viewer.name)

    def control_opened(self, viewer: Viewer) -> None:
        self._tell_seat(viewer)
        self._tell_stream(viewer)

    def input_opened(self, viewer: Viewer) -> None:
        self._seat.join(viewer.name)

    def input_received(self, viewer: Viewer, data: bytes) -> None:
        self._seat.take(viewer.name, data)

    def keyframe_wanted(self, viewer: Viewer) -> None:
        self._arrangement.wake(viewer.name)

    def failed(self, viewer: Viewer, code: ByeCode, reason: str) -> None:
        logger.info("viewer %s is disconnected because %s", viewer.name, reason)
        can_return = code is ByeCode.PEER_FAILED
        self._tell(Say(viewer.name, Bye(reason=reason, code=code, retry=can_return)))
        self._lose(viewer, may_return=can_return)

    # What the studio tells (`StudioOwner`).

    def source_ended(self, reason: str, *, is_failure: bool = True) -> None:
        self._end(reason, ByeCode.SESSION_ENDED, is_failure=is_failure)

    def rendition_failed(self, key: RenditionKey, reason: str) -> None:
        self._arrangement.rendition_failed(key, reason)

    def encoder_changed(self, codec: str) -> None:
        for viewer in self._viewers.values():
            key = self._arrangement.rendition_of(viewer.name)
            if key is not None and key.codec == codec:
                self._tell_stream(viewer)

    def source_resized(self) -> None:
        self._arrangement.arrange()

    # What the arrangement tells (`ArrangementOwner`).

    def stream_changed(self, viewer: str) -> None:
        self._tell_stream(self._viewers[viewer])

    def video_failed(self, viewer: str) -> None:
        reason = "its video could not be sent; the log has the details"
        self._viewers[viewer].link.failed(ByeCode.PEER_FAILED, reason)

    def codec_failed(self, codec: str, reason: str) -> None:
        # Who comes back is offered the codecs that are left.
        for viewer in list(self._viewers.values()):
            if viewer.codec == codec:
                viewer.link.failed(ByeCode.PEER_FAILED, f"its video cannot be made any more: {reason}")

    # Viewers come and go.

    def _join(self, name: str) -> None:
        try:
            viewer = self._enter(name)
        except CapacityError as exc:
            self._tell(Say(name, Bye(reason=str(exc), code=ByeCode.SESSION_FULL, retry=True)))
        except StreamerError as exc:
            logger.error("viewer %s cannot join because %s", name, exc)  # noqa: TRY400 - the message says it all
            self._tell(Say(name, Bye(reason=str(exc), code=ByeCode.PEER_FAILED, retry=False)))
            if name in self._viewers:
                self._lose(self._viewers[name], may_return=False)
        else:
            logger.info("viewer %s joins", name)
            viewer.link.start(self._tasks)
            self._tell_seats()

    def _enter(self, name: str) -> Viewer:
        """Give a viewer a new peer.

        Raises:
            CapacityError: there is no place for it.
            StreamerError: no peer can be made.
        """
        viewer = self._viewers.get(name)
        if viewer is not None:
            before = viewer.come_back()
            self._stop_waiting_for(name)
            self._arrangement.leave(name)
            self._seat.step_out(name)
            self._retire(before)
            return viewer
        if len(self._viewers) >= self._config.session.max_viewers:
            raise CapacityError(f"all {self._config.session.max_viewers} places are taken")
        viewer = self._viewers[name] = Viewer(name, self, self._clock)
        return viewer

    def _lose(self, viewer: Viewer, *, may_return: bool) -> None:
        """Give up a viewer's peer; its place in the line stays for a while if it may return."""
        if viewer.state is ViewerState.AWAY and may_return:
            return
        self._arrangement.leave(viewer.name)
        self._seat.step_out(viewer.name)
        self._retire(viewer.link)
        if may_return:
            viewer.lose()
            at_us = self._clock.now_us() + self._config.session.resume_timeout_ms * 1_000
            self._away[viewer.name] = self._clock.call_at_us(at_us, lambda: self._forget(viewer))
            self._tell_seats()
        else:
            self._forget(viewer)

    def _forget(self, viewer: Viewer) -> None:
        self._stop_waiting_for(viewer.name)
        viewer.leave()
        del self._viewers[viewer.name]
        self._seat.leave(viewer.name)
        logger.info("viewer %s has left", viewer.name)

    def _stop_waiting_for(self, name: str) -> None:
        timer = self._away.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _retire(self, link: Link) -> None:
        link.stop()
        self._closings.start(link.close(), "closing of a peer")

    # The end.

    def _end(self, reason: str, code: ByeCode, *, is_failure: bool) -> None:
        """Begin the end, once."""
        if self.state is SessionState.LIVE:
            self._lifecycle.fire(SessionTrigger.STOP)
            self._closing = asyncio.get_running_loop().create_task(self._wind_down(reason, code, is_failure=is_failure))

    async def _wind_down(self, reason: str, code: ByeCode, *, is_failure: bool) -> None:
        """Give up everything, whatever fails on the way, and say so at the end."""
        # A server that stops may start again; a session that is over does not come back.
        bye = Bye(reason=reason, code=code, retry=code is ByeCode.SERVER_STOPPING)
        dismissed = [attempt(partial(self._dismiss, viewer, bye), "a goodbye") for viewer in [*self._viewers.values()]]
        closed = [
            attempt(self._seat.close, "closing of the seat"),
            attempt(self._arrangement.close, "closing of the renditions"),
            await complete(self._tasks.close(), "end of the tasks"),
            await complete(self._closings.drain(), "closing of the peers"),
            await complete(self._studio.close(), "closing of the devices"),
        ]
        self._lifecycle.fire(SessionTrigger.CLOSED)
        if not all([*dismissed, *closed]):
            reason, is_failure = f"{reason}, and something could not be closed; the log has the details", True
        self._tell(Ended(reason, is_failure=is_failure))

    def _dismiss(self, viewer: Viewer, bye: Bye) -> None:
        self._tell(Say(viewer.name, bye))
        self._lose(viewer, may_return=False)

    # What goes out.

    def _describe(self) -> Opened:
        made: dict[tuple[str, str], list[str]] = {}
        for codec in self._studio.codecs:
            made.setdefault(self._studio.encoder_of(codec), []).append(codec)
        resolution = self._studio.resolution
        return Opened(
            source=self._config.session.source,
            width_px=resolution.width_px,
            height_px=resolution.height_px,
            fps=self._config.session.fps,
            encoder=", ".join(
                f"{' and '.join(codecs)} by {encoder} because {reason}" for (encoder, reason), codecs in made.items()
            ),
        )

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener(event)

    def _tell_seats(self) -> None:
        for viewer in self._viewers.values():
            self._tell_seat(viewer)

    def _tell_seat(self, viewer: Viewer) -> None:
        # Before a viewer's channels of input are open nothing is decided, and its page takes input in case it counts.
        if not self._seat.has_place(viewer.name):
            return
        present = sum(other.state is not ViewerState.AWAY for other in self._viewers.values())
        viewer.tell(control.Seat(is_holder=viewer.name == self._seat.holder, viewers=present))

    def _tell_text_refused(self, viewer: str) -> None:
        self._viewers[viewer].tell(control.TextRefused())

    def _tell_stream(self, viewer: Viewer) -> None:
        key = self._arrangement.rendition_of(viewer.name)
        if key is None:
            return
        encoder, reason = self._studio.encoder_of(key.codec)
        viewer.tell(
            control.Stream(
                codec=key.codec,
                encoder=encoder,
                encoder_reason=reason.encode()[: control.MAX_REASON_BYTES].decode(errors="ignore"),
                source=self._config.session.source,
                width_px=key.resolution.width_px,
                height_px=key.resolution.height_px,
                fps=self._config.session.fps,
            )
        )

    async def _report(self) -> None:
        """Tell each viewer, once a second, what its stream did."""
        while True:
            await self._clock.sleep_until_us(self._clock.now_us() + REPORT_INTERVAL_US)
            for viewer in list(self._viewers.values()):
                if not attempt(viewer.report, "the report of a viewer"):
                    self.failed(viewer, ByeCode.PEER_FAILED, "its stream has no report; the log has the details")
