"""A viewer in a process of its own, without a browser: joins, receives, decodes, and reads the stamps.

Run as `python -m streamer.bench.viewer URL [--blind]`. It is told what to do line by line on standard input, and
answers each line with one JSON object: `join`, `restart`, `collect`, `leave`. End of input ends it. It measures what a
machine without a browser can: the age of decoded frames. It presents nothing and clicks nothing; a blind one decodes
nothing either, and counts what arrives.
"""

import asyncio
import contextlib
import json
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streamer import registry
from streamer.bench.assembler import FrameAssembler
from streamer.bench.receiving_peer import ReceivingPeer
from streamer.bench.stamp_decoder import StampDecoder
from streamer.clock import SystemClock
from streamer.errors import RemoteProtocolError, SessionError, StreamerError
from streamer.protocol import control, signaling
from streamer.rtp.packet import RtpPacket
from streamer.rtp.reports import SenderReport

_JOIN_TIMEOUT_S = 20.0


class Viewer:
    """One viewer, who can join and leave many times. Used on the event loop."""

    def __init__(self, url: str, *, is_blind: bool) -> None:
        self._url = url
        self._is_blind = is_blind
        self._clock = SystemClock()
        self._connection: _Connection | None = None

    async def obey(self, command: str) -> dict[str, Any]:
        """Carry out one command and return what there is to say."""
        match command:
            case "join":
                await self._leave()
                self._connection = _Connection(self._url, self._clock, is_blind=self._is_blind)
                await self._connection.open()
                return {"codec": self._connection.codec}
            case "leave":
                await self._leave()
                return {}
            case "restart" | "collect" if self._connection is not None:
                return self._connection.collect()
            case _:
                raise SessionError(f"command {command!r} cannot be obeyed now")

    async def _leave(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


class _Connection:
    """One stay: a signaling socket, a peer and, unless it is blind, a decoder."""

    def __init__(self, url: str, clock: SystemClock, *, is_blind: bool) -> None:
        parts = urlsplit(url)
        self._token = parse_qs(parts.fragment).get("token", [None])[0]
        self._origin = f"{parts.scheme}://{parts.netloc}"
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._address = urlunsplit((scheme, parts.netloc, "/signaling", "", ""))
        self._clock = clock
        self._is_blind = is_blind
        self._peer = ReceivingPeer(clock, self._received)
        self._peer.on_report = self._sender_reported
        self._peer.on_message = self._told
        self._assembler: FrameAssembler | None = None
        self._decoder: StampDecoder | None = None
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._requests: set[asyncio.Task[None]] = set()
        self._first_frame = asyncio.Event()
        self._failure: str | None = None
        self._anchors: list[tuple[int, float]] = []
        self._stages: list[dict[str, int]] = []

    @property
    def codec(self) -> str | None:
        return self._peer.codec

    async def open(self) -> None:
        """Join, and return once a whole frame has arrived."""
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT_S):
                self._socket = await connect(self._address, origin=self._origin, compression=None)  # type: ignore[arg-type]
                await self._socket.send(signaling.serialize(signaling.Hello(token=self._token)))
                self._listening = asyncio.create_task(self._listen(self._socket), name="signaling")
                await self._first_frame.wait()
        except (TimeoutError, OSError) as exc:
            raise SessionError(f"no picture came within {_JOIN_TIMEOUT_S:g} s") from exc
        if self._failure is not None:
            raise SessionError(self._failure)

    def collect(self) -> dict[str, Any]:
        """Return what has been received since the last call, and totals since the start."""
        assert self._assembler is not None
        decoder = self._decoder
        rows, unreadable, undecodable = ([], 0, 0) if decoder is None else decoder.take()
        anchors, self._anchors = self._anchors, self._anchors[-1:]
        stages, self._stages = self._stages, []
        return {
            "rows": rows,
            "unreadable": unreadable + undecodable,
            "anchors": anchors,
            "stages": stages,
            "frames": 0 if decoder is None else decoder.frames,
            "inbound": {
                "bytesReceived": self._assembler.payload_bytes,
                "packetsReceived": self._assembler.packets,
                "packetsLost": self._peer.stream.lost,
            },
        }

    async def close(self) -> None:
        if self._socket is not None:
            bye = signaling.Bye("The viewer left.", signaling.ByeCode.LEFT, retry=False)
            # The server may have gone first.
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(signaling.serialize(bye))
            await self._socket.close()
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._peer.close()
        if self._decoder is not None:
            self._decoder.close()

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                if isinstance(text, str):
                    await self._say(socket, signaling.parse_from_server(text))
        except (ConnectionClosed, RemoteProtocolError) as exc:
            self._fail(str(exc))

    async def _say(self, socket: ClientConnection, message: signaling.ServerMessage) -> None:
        if isinstance(message, signaling.Offer):
            answer = await self._peer.answer(message.sdp)
            codec = self._peer.codec or ""
            self._assembler = FrameAssembler(registry.load("codecs", codec).depacketize)
            self._decoder = None if self._is_blind else StampDecoder(codec, self._clock)
            await socket.send(signaling.serialize(signaling.Answer(message.generation, answer)))
            await socket.send(signaling.serialize(signaling.EndOfCandidates(message.generation)))
        elif isinstance(message, signaling.Bye):
            self._fail(message.reason)

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._first_frame.set()

    def _received(self, packet: RtpPacket, now_us: int) -> None:
        if self._assembler is None:
            return
        for unit in self._assembler.push(packet):
            if self._decoder is not None:
                self._decoder.push(unit, now_us)
            self._first_frame.set()
        if missing := self._assembler.take_missing():
            self._ask(self._peer.ask_again(missing))
        if self._assembler.take_keyframe_wish():
            self._ask(self._peer.ask_keyframe())

    def _ask(self, request: Any) -> None:
        task = asyncio.create_task(request, name="request to the sender")
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    def _sender_reported(self, report: SenderReport) -> None:
        self._anchors.append((report.rtp_timestamp, report.ntp / 2**32 * 1000))

    def _told(self, label: str, message: str | bytes) -> None:
        if label != "control" or not isinstance(message, str):
            return
        said = control.parse_from_server(message)
        if isinstance(said, control.Statistics):
            self._stages.append(dict(said.stages_us))


async def _run(url: str, *, is_blind: bool) -> None:
    viewer = Viewer(url, is_blind=is_blind)
    loop = asyncio.get_running_loop()
    while command := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        try:
            said = await viewer.obey(command)
        except StreamerError as exc:
            said = {"error": str(exc)}
        print(json.dumps(said), flush=True)
    await viewer.obey("leave")


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], is_blind="--blind" in sys.argv[2:]))
