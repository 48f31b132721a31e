"""A viewer's connection without a browser: stock aiortc answers, and hands its packets to us as they arrive.

aiortc's own jitter buffer gives a frame out when the next one begins, one frame interval late; so nothing of its media
path is used. Reports what a browser reports: transport-wide feedback where the answer accepts it, receiver reports.
"""

# ruff: noqa: SLF001
# Packets are taken where aiortc's transport has decrypted them, which has no public name.

import asyncio
import re
import socket
from collections.abc import Callable
from typing import Any

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCRtpCodecParameters, RTCSessionDescription
from aiortc.codecs import CODECS

from streamer.bench.arrivals import FEEDBACK_INTERVAL_US, REPORT_INTERVAL_US, StreamArrivals, TransportArrivals
from streamer.clock import Clock
from streamer.errors import RemoteProtocolError
from streamer.rtp import packet as rtp
from streamer.rtp import rtx
from streamer.rtp.extensions import TRANSPORT_WIDE_CC, parse_extensions
from streamer.rtp.requests import serialize_nack, serialize_picture_loss
from streamer.rtp.rtcp import SenderReport, parse_compound, serialize_receiver_report, serialize_transport_feedback

_OWN_SSRC = 0x5EE1
# As much as the kernel grants: a receiver that is scheduled late shall not count as loss.
_RECEIVE_BUFFER_BYTES = 8 << 20


FEEDBACK_LINE = "a=rtcp-fb:* transport-cc"

# Codecs that aiortc does not know, and need not: its answer names them, and nobody asks it to decode them. The payload
# types give way to those of an offer. There is one list for the process: it is extended once, when this is imported.
_MORE_CODECS = (("video/H265", 124), ("video/AV1", 126))
CODECS["video"] += [
    codec
    for mime_type, number in _MORE_CODECS
    for codec in (
        RTCRtpCodecParameters(mimeType=mime_type, clockRate=90_000, payloadType=number),
        RTCRtpCodecParameters(
            mimeType="video/rtx", clockRate=90_000, payloadType=number + 1, parameters={"apt": number}
        ),
    )
]


class ReceivingPeer:
    """One connection, which answers an offer of video. Used on the event loop.

    `on_packet(packet, now_us)` is told of media, resent packets in their original form; `on_report` of sender reports.
    """

    def __init__(self, clock: Clock, on_packet: Callable[[rtp.RtpPacket, int], None]) -> None:
        self._clock = clock
        self._on_packet = on_packet
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("datachannel", self._opened)
        self._connection.on("connectionstatechange", self._changed)
        self._transport = TransportArrivals(_OWN_SSRC)
        self._transport_id: int | None = None
        self._codecs: dict[int, str] = {}
        self._ssrc: int | None = None
        self._reporting: asyncio.Task[None] | None = None
        self.stream = StreamArrivals(0)
        self.channels: dict[str, RTCDataChannel] = {}
        self.ended = asyncio.Event()
        self.on_report: Callable[[SenderReport], None] = lambda _: None
        self.on_message: Callable[[str, str | bytes], None] = lambda _label, _message: None

    @property
    def codec(self) -> str | None:
        """The codec that the answer takes first, by our name."""
        names = [name.lower() for name in self._codecs.values() if name.lower() != "rtx"]
        return names[0] if names else None

    async def answer(self, offer: str) -> str:
        """Apply an offer and return the answer, candidates included."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        dtls = self._dtls
        dtls._handle_rtp_data = self._received_rtp
        dtls._handle_rtcp_data = self._received_rtcp
        await self._connection.setLocalDescription()
        for protocol in dtls.transport._connection._protocols:
            bound = protocol.transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        answer = with_extensions(self._connection.localDescription.sdp, offer)
        self._codecs = {int(number): name for number, name in re.findall(r"a=rtpmap:(\d+) (\w+)/90000", answer)}
        ids = {uri: int(number) for number, uri in re.findall(r"a=extmap:(\d+)\S* (\S+)", answer)}
        self._transport_id = ids.get(TRANSPORT_WIDE_CC)
        return answer

    async def ask_again(self, sequences: list[int]) -> None:
        """Ask for lost packets."""
        if self._ssrc is not None and sequences:
            await self._send(serialize_nack(_OWN_SSRC, self._ssrc, sequences))

    async def ask_keyframe(self) -> None:
        """Say that only a keyframe can help."""
        if self._ssrc is not None:
            await self._send(serialize_picture_loss(_OWN_SSRC, self._ssrc))

    async def close(self) -> None:
        """Give the connection up, and every task of it."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
        await self._connection.close()
        self.ended.set()

    @property
    def _dtls(self) -> Any:
        return self._connection.getTransceivers()[0].receiver.transport

    def _opened(self, channel: RTCDataChannel) -> None:
        self.channels[channel.label] = channel
        channel.on("message", lambda message: self.on_message(channel.label, message))

    def _changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self.ended.set()

    async def _received_rtp(self, data: bytes, arrival_time_ms: int) -> None:  # noqa: ARG002 - aiortc's signature
        now_us = self._clock.now_us()
        try:
            packet = rtp.parse(data)
            self._note_number(packet, now_us)
            media = self._original(packet)
        except RemoteProtocolError:
            return
        if media is not None:
            self.stream.note(media.sequence)
            self._on_packet(media, now_us)

    async def _received_rtcp(self, data: bytes) -> None:
        for message in parse_compound(data):
            if isinstance(message, SenderReport) and message.ssrc == self._ssrc:
                self.stream.sender_reported(message, self._clock.now_us())
                self.on_report(message)

    def _note_number(self, packet: rtp.RtpPacket, now_us: int) -> None:
        if self._transport_id is None or not packet.extension:
            return
        value = parse_extensions(packet.extension).get(self._transport_id)
        if value is not None:
            self._transport.note(int.from_bytes(value, "big"), now_us)

    def _original(self, packet: rtp.RtpPacket) -> rtp.RtpPacket | None:
        """Return the media packet, unpacked if it was resent, or None for padding."""
        if self._codecs.get(packet.payload_type, "").lower() != "rtx":
            if self._ssrc is None:
                self._ssrc = packet.ssrc
                self.stream = StreamArrivals(packet.ssrc)
                self._reporting = asyncio.create_task(self._report(), name="receiver reports")
            return packet
        if not packet.payload or self._ssrc is None:
            return None
        sequence, payload = rtx.split_payload(packet.payload)
        return rtp.RtpPacket(
            payload_type=packet.payload_type,
            marker=packet.marker,
            sequence=sequence,
            timestamp=packet.timestamp,
            ssrc=self._ssrc,
            payload=payload,
        )

    async def _report(self) -> None:
        assert self._ssrc is not None
        due_us = report_due_us = self._clock.now_us()
        while True:
            due_us += FEEDBACK_INTERVAL_US
            await self._clock.sleep_until_us(due_us)
            compound = b""
            feedback = self._transport.report(self._ssrc)
            if feedback is not None:
                compound = serialize_transport_feedback(feedback)
            if due_us >= report_due_us:
                report_due_us += REPORT_INTERVAL_US
                compound = serialize_receiver_report(_OWN_SSRC, [self.stream.block(self._clock.now_us())]) + compound
            if compound:
                await self._send(compound)

    async def _send(self, compound: bytes) -> None:
        try:
            await self._dtls._send_rtp(compound)
        except ConnectionError:
            # The sender has gone: whoever owns this peer hears it from `ended`.
            self.ended.set()


def with_extensions(answer: str, offer: str) -> str:
    """Return the answer with every header extension and transport-wide feedback accepted, as browsers do."""
    video = re.search(r"^m=video.*?(?=^m=|\Z)", offer, re.MULTILINE | re.DOTALL)
    wanted = [] if video is None else [line for line in video[0].splitlines() if line.startswith("a=extmap:")]
    wanted.append(FEEDBACK_LINE)
    lines: list[str] = []
    for line in answer.splitlines():
        if line.startswith("a=extmap:"):
            continue
        lines.append(line)
        if line.startswith("m=video"):
            lines += wanted
    return "\r\n".join(lines) + "\r\n"
