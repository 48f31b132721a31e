"""One sender of ready-made access units, in a process of its own: aiortc as installed, or our transport.

Run as `python -m streamer.bench.senders KIND FILE FPS SECONDS`, with a receiver at the other end of its standard
streams: it prints its offer as one line of JSON, reads the answer as another, sends for so long, and prints what that
cost. Both kinds are paced by the same loop: a frame is due, and goes out.
"""

import asyncio
import json
import random
import resource
import sys
from collections.abc import AsyncIterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from streamer import registry
from streamer.bench.receiving_peer import FEEDBACK_LINE
from streamer.bench.send_clip import read_units
from streamer.clock import SystemClock
from streamer.congestion.decision import RateLimits
from streamer.errors import SessionError
from streamer.media.frame import EncodedFrame, Resolution
from streamer.rtp.extensions import TRANSPORT_WIDE_CC
from streamer.session.rendition import MAX_PAYLOAD_BYTES
from streamer.transport.base import IceSettings, PeerSettings
from streamer.transport.peer import RtcPeer

# Our transport as a user gets it, with its rate held and its frames paced, with each frame leaving at once, and that
# without the viewer's arrival reports.
STOCK, CONTROLLED, PACED, UNPACED, BARE = "stock", "controlled", "paced", "unpaced", "bare"
# At this target every frame is due at once.
_UNPACED_BPS = 10**12
_WARM_UP_S = 1.0
_CONNECT_TIMEOUT_S = 15.0
_US_PER_S = 1_000_000
_TICKS_HZ = 90_000
_SIZE = Resolution(1280, 720)
_FPS = 60.0


class Schedule:
    """When frames are due, and which; counts the CPU time of this process from the end of the warm-up on."""

    def __init__(self, units: list[bytes], fps: float, seconds: float) -> None:
        self._units = units
        self._fps = fps
        self._seconds = seconds
        self._clock = SystemClock()
        self._begins: tuple[int, float] | None = None
        self._frames = 0
        self.result: dict[str, float] = {}

    async def frames(self) -> AsyncIterator[tuple[int, int, bytes]]:
        """Yield capture time, place in the clip and data of each frame when it is due."""
        origin_us = self._clock.now_us()
        begins_us = origin_us + round(_WARM_UP_S * _US_PER_S)
        ends_us = begins_us + round(self._seconds * _US_PER_S)
        for number in count():
            due_us = origin_us + round(number * _US_PER_S / self._fps)
            if due_us >= ends_us:
                break
            await self._clock.sleep_until_us(due_us)
            if self._begins is None and due_us >= begins_us:
                self._begins = (number, _cpu_s())
            self._frames += 1
            place = number % len(self._units)
            yield due_us, place, self._units[place]
        first, cpu_s = self._begins or (0, 0.0)
        self.result = {"cpu_s": _cpu_s() - cpu_s, "frames": self._frames - first, "all_frames": self._frames}


class _Track(MediaStreamTrack):
    """Gives aiortc the units as packets that are encoded already; it packetizes and sends them."""

    kind = "video"

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._frames = schedule.frames()
        self.has_ended = asyncio.Event()

    async def recv(self) -> Any:
        frame = await anext(self._frames, None)
        if frame is None:
            self.has_ended.set()
            await asyncio.Event().wait()
            raise AssertionError
        at_us, _, data = frame
        packet = av.Packet(data)
        packet.pts = at_us * _TICKS_HZ // _US_PER_S
        packet.time_base = Fraction(1, _TICKS_HZ)
        return packet


class _Observer:
    """Waits for the connection."""

    def __init__(self) -> None:
        self.settled = asyncio.Event()
        self.failure: str | None = None

    def connected(self, codec: str) -> None:  # noqa: ARG002 - the signature is PeerObserver's
        self.settled.set()

    def channel_opened(self, label: str) -> None: ...

    def channel_closed(self, label: str) -> None: ...

    def received(self, label: str, message: str | bytes) -> None: ...

    def keyframe_wanted(self) -> None: ...

    def failed(self, code: str, reason: str) -> None:
        self.failure = f"{code}: {reason}"
        self.settled.set()


async def send_stock(schedule: Schedule) -> None:
    """Send through aiortc as it is installed."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    track = _Track(schedule)
    connection.addTrack(track)
    transceiver = connection.getTransceivers()[0]
    transceiver.direction = "sendonly"
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
    await connection.setLocalDescription()
    answer = await _exchange(connection.localDescription.sdp)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await track.has_ended.wait()
    _say(schedule.result)
    await connection.close()


async def send_ours(schedule: Schedule, units: list[bytes], kind: str) -> None:
    """Send through our transport."""
    rate_bps = round(sum(map(len, units)) * 8 * _FPS / len(units))
    target_bps = _UNPACED_BPS if kind in (UNPACED, BARE) else rate_bps
    settings = PeerSettings(
        codecs=("h264",),
        largest=_SIZE,
        fps=_FPS,
        rate_limits=RateLimits(min_bps=target_bps, start_bps=target_bps, max_bps=target_bps),
        is_adaptive=kind == CONTROLLED,
        ice=IceSettings(),
    )
    observer = _Observer()
    peer = RtcPeer(settings, observer, SystemClock(), random.Random())
    codec = registry.load("codecs", "h264")
    answer = await _exchange(await peer.offer())
    await peer.answer(_without_feedback(answer) if kind == BARE else answer)
    async with asyncio.timeout(_CONNECT_TIMEOUT_S):
        await observer.settled.wait()
    if observer.failure is not None:
        raise SessionError(observer.failure)
    # An encoder says so; it is no part of sending.
    are_keyframes = [codec.is_keyframe(unit) for unit in units]
    async for at_us, place, data in schedule.frames():
        conform = codec.conform(data)
        frame = EncodedFrame(
            codec="h264",
            data=conform,
            is_keyframe=are_keyframes[place],
            capture_us=at_us,
            resolution=_SIZE,
            payloads=codec.packetize(conform, MAX_PAYLOAD_BYTES),
        )
        peer.video.offer(frame)
    _say(schedule.result)
    await peer.close()


def _without_feedback(answer: str) -> str:
    """Return an answer that accepts no arrival reports."""
    lines = answer.splitlines()
    return "\r\n".join(line for line in lines if line != FEEDBACK_LINE and TRANSPORT_WIDE_CC not in line) + "\r\n"


async def _exchange(offer: str) -> str:
    """Say the offer and return the answer."""
    _say({"offer": offer})
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return str(json.loads(line)["answer"])


def _say(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(kind: str, file: str, fps: str, seconds: str) -> None:
    """Send what the arguments say."""
    units = read_units(Path(file))
    schedule = Schedule(units, float(fps), float(seconds))
    if kind == STOCK:
        asyncio.run(send_stock(schedule))
    else:
        asyncio.run(send_ours(schedule, units, kind))


if __name__ == "__main__":
    main(*sys.argv[1:])
