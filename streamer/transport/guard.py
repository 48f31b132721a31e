"""Keep what a remote side sends from harming the libraries underneath, and know when those libraries change.

Owns the list of private names of aiortc, aioice and pylibsrtp that this folder uses, and the filters that stand between
the network and their parsers. Everything is attached to the objects of one peer; nothing is replaced for the process.
"""

# ruff: noqa: SLF001
# Private names of the libraries are what this file is about: guard.py lists and checks them.

import asyncio
import functools
import importlib
import importlib.metadata
import struct
from collections.abc import Awaitable, Callable, Iterable
from types import CodeType
from typing import Any

from aioice import stun
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc.rtcsctptransport import RTCSctpTransport
from OpenSSL import SSL

from streamer.errors import TransportError

# The minor versions whose source was read for the list below; pyproject.toml pins the same ones.
_VERSIONS = {"aiortc": "1.16.", "aioice": "0.13.", "pylibsrtp": "1.0."}

# Every private name in use, and every place where a library must look a name up for our replacement to take effect:
# module, then a function of it, then the names that its code must mention.
_MENTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("aiortc.rtcrtptransceiver", "RTCRtpTransceiver.__init__", ("_RTCRtpTransceiver__sender",)),
    ("aiortc.rtcrtptransceiver", "RTCRtpTransceiver.stop", ("_RTCRtpTransceiver__sender",)),
    ("aiortc.rtcpeerconnection", "RTCPeerConnection._RTCPeerConnection__connect", ("sender", "send")),
    ("aiortc.rtcdtlstransport", "RTCDtlsTransport.__init__", ("_tx_srtp", "_ssl", "_task")),
    ("aiortc.rtcdtlstransport", "RTCDtlsTransport._setup_srtp", ("_tx_srtp",)),
    ("aiortc.rtcdtlstransport", "RTCDtlsTransport._recv_next", ("_handle_rtcp_data", "_handle_rtp_data")),
    ("aiortc.rtcdtlstransport", "RTCDtlsTransport._recv_next", ("_data_receiver", "_handle_data")),
    ("aiortc.rtcdtlstransport", "RTCDtlsTransport._send_rtp", ("_tx_srtp", "protect_rtcp")),
    ("aiortc.rtcicetransport", "RTCIceTransport.__init__", ("_connection",)),
    ("aiortc.rtcicetransport", "RTCIceGatherer.gather", ("gather_candidates",)),
    ("aiortc.rtcsctptransport", "RTCSctpTransport.__init__", ("_advertised_rwnd", "_sack_misordered")),
    ("aiortc.rtcsctptransport", "RTCSctpTransport._get_inbound_stream", ("_inbound_streams",)),
    ("aiortc.rtcsctptransport", "RTCSctpTransport._mark_received", ("_sack_misordered",)),
    ("aiortc.rtcsctptransport", "InboundStream.add_chunk", ("reassembly",)),
    ("aiortc.rtcsctptransport", "RTCSctpTransport._handle_data", ("_receive_chunk",)),
    ("aioice.ice", "Connection.__init__", ("_nominated", "_check_list", "_protocols", "_queue", "_remote_candidates")),
    ("aioice.ice", "Connection.__init__", ("_closing",)),
    ("aioice.ice", "Connection.gather_candidates", ("get_component_candidates",)),
    ("aioice.ice", "Connection.request_received", ("send_stun",)),
    ("aioice.ice", "StunProtocol.datagram_received", ("data_received", "request_received")),
    ("aioice.ice", "CandidatePair.__init__", ("protocol", "state")),
    ("pylibsrtp", "Session.__init__", ("_srtp",)),
)
# Names that must exist as attributes.
_ATTRIBUTES: tuple[tuple[str, str], ...] = (
    ("pylibsrtp._binding", "ffi.from_buffer"),
    ("pylibsrtp._binding", "lib.srtp_protect"),
    ("aioice.ice", "relayed_candidate"),
    ("aioice.ice", "server_reflexive_candidate"),
    ("aioice.ice", "candidate_foundation"),
    ("aioice.ice", "candidate_priority"),
)

# An established peer has at most a few datagrams waiting between two turns of the event loop.
_MAX_QUEUED_DATAGRAMS = 1024
# The receive window of 1 MiB holds 900 chunks of a browser's size.
_MAX_UNFINISHED_CHUNKS = 1024
# Three channels are open to a viewer; aiortc keeps what comes on any other one too.
_MAX_SCTP_STREAMS = 16
# Addresses that a viewer may be seen from while its paths are being found.
_MAX_SOURCES = 64
# RFC 7983: the first byte of a STUN message is 0 to 3.
_STUN_FIRST_BYTES = 4


@functools.cache
def check_libraries() -> None:
    """Compare the installed libraries with what this folder was written against; does its work once.

    Raises:
        TransportError: a version is not the pinned one, or a private name in use is gone.
    """
    for name, prefix in _VERSIONS.items():
        version = importlib.metadata.version(name)
        if not version.startswith(prefix):
            raise TransportError(name, f"version {version} is installed, {prefix}x is needed")
    for module, function, names in _MENTIONS:
        check_mentions(module, function, names)
    for module, path in _ATTRIBUTES:
        _resolve(module, path)


def check_mentions(module: str, function: str, names: Iterable[str]) -> None:
    """Check that the code of a library's function still mentions `names`.

    Raises:
        TransportError: it does not, or there is no such function.
    """
    mentioned = _names(_resolve(module, function).__code__)
    for name in names:
        if name not in mentioned:
            raise TransportError(module, f"{function} does not mention {name}: its guard must be written anew")


def _names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {*code.co_names, *(name for nested in inner for name in _names(nested))}


def _resolve(module: str, path: str) -> Any:
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name, None)
        if found is None:
            raise TransportError(module, f"there is no {path}: what uses it must be written anew")
    return found


class GuardedStunProtocol(StunProtocol):
    """One UDP socket of a peer, or its relay. Lets in what ICE has validated, and STUN that can be parsed.

    `admits` says whether datagrams of a source address may be looked at at all.
    """

    def __init__(self, connection: Connection, admits: Callable[[str], bool]) -> None:
        super().__init__(connection)
        self._admits = admits
        self._answered: set[tuple[str, int]] = set()
        self.dropped_datagrams = 0

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        assert isinstance(data, bytes)
        source = (addr[0], addr[1])
        if data and self._admits(addr[0]) and self._is_acceptable(data, source):
            super().datagram_received(data, addr)
        else:
            self.dropped_datagrams += 1

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        # aioice answers a request with success only after it has verified the request's integrity.
        if message.message_class == stun.Class.RESPONSE and len(self._answered) < _MAX_SOURCES:
            self._answered.add(addr)
        super().send_stun(message, addr)

    def _is_acceptable(self, data: bytes, source: tuple[str, int]) -> bool:
        if data[0] < _STUN_FIRST_BYTES:
            return self._is_sound_stun(data, source)
        return self.receiver._queue.qsize() < _MAX_QUEUED_DATAGRAMS and self._is_validated(source)

    def _is_validated(self, source: tuple[str, int]) -> bool:
        nominated = self.receiver._nominated.get(1)
        if nominated is not None and nominated.protocol is self and nominated.remote_addr == source:
            return True
        if source in self._answered:
            return True
        succeeded = CandidatePair.State.SUCCEEDED
        return any(
            pair.protocol is self and pair.state is succeeded and pair.remote_addr == source
            for pair in self.receiver._check_list
        )

    def _is_sound_stun(self, data: bytes, source: tuple[str, int]) -> bool:
        try:
            message = stun.parse_message(data)
        except (ValueError, struct.error):
            return False
        if message.message_class != stun.Class.REQUEST:
            return True
        # RFC 8445, section 7.1.1: every check has a PRIORITY; aioice reads it unasked.
        if "PRIORITY" not in message.attributes:
            return False
        known = self.receiver._remote_candidates
        return len(known) < _MAX_SOURCES or any((c._network_host, c.port) == source for c in known)


# Chunk types of RFC 9260, RFC 3758 and RFC 6525 with the shortest value that their fixed fields need.
_DATA, _INIT, _INIT_ACK, _SACK, _FORWARD_TSN, _RECONFIG = 0, 1, 2, 3, 192, 130
# RFC 9260, section 6.2: DATA has at least one byte of user data behind its 12 bytes of fields.
_MIN_VALUE_BYTES = {_DATA: 13, _INIT: 16, _INIT_ACK: 16, _SACK: 12, 7: 4, _FORWARD_TSN: 4}
# Where the parameters of a chunk start in its value: INIT, INIT ACK, HEARTBEAT and its ACK, ABORT, ERROR, RE-CONFIG.
_PARAMETERS_AT = {_INIT: 16, _INIT_ACK: 16, 4: 0, 5: 0, 6: 0, 9: 0, _RECONFIG: 0}
# RFC 6525: outgoing reset request, response, add streams; the fixed fields of each.
_MIN_RECONFIG_BYTES = {13: 12, 16: 8, 17: 8}
_COMMON_HEADER_BYTES = 12
_HEADER_BYTES = 4


def is_sound_sctp(packet: bytes) -> bool:
    """Return whether every length inside an SCTP packet leads to a place inside it, and none stands still."""
    at = _COMMON_HEADER_BYTES
    if len(packet) < at + _HEADER_BYTES:
        return False
    kinds = []
    while at + _HEADER_BYTES <= len(packet):
        kind, _, length = struct.unpack_from("!BBH", packet, at)
        if length < _HEADER_BYTES or at + length > len(packet):
            return False
        if not _is_sound_chunk(kind, packet[at + _HEADER_BYTES : at + length]):
            return False
        kinds.append(kind)
        at += length + -length % 4
    # RFC 9260, section 4.3: INIT travels alone.
    return _INIT not in kinds or len(kinds) == 1


def _is_sound_chunk(kind: int, value: bytes) -> bool:
    if len(value) < _MIN_VALUE_BYTES.get(kind, 0):
        return False
    if kind == _SACK:
        return _is_sound_sack(value)
    if kind == _FORWARD_TSN:
        return len(value) % 4 == 0
    if kind in _PARAMETERS_AT:
        return _are_sound_parameters(value[_PARAMETERS_AT[kind] :], _MIN_RECONFIG_BYTES if kind == _RECONFIG else {})
    return True


def _is_sound_sack(value: bytes) -> bool:
    gaps, duplicates = struct.unpack_from("!HH", value, 8)
    if len(value) != 12 + 4 * (gaps + duplicates):
        return False
    # RFC 9260, section 3.3.4: gap blocks are in order and do not overlap, so together they name each TSN once at most.
    last_end = 0
    for number in range(gaps):
        start, end = struct.unpack_from("!HH", value, 12 + 4 * number)
        if not last_end < start <= end:
            return False
        last_end = end
    return True


def _are_sound_parameters(data: bytes, min_value_bytes: dict[int, int]) -> bool:
    at = 0
    while at + _HEADER_BYTES <= len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        if length < _HEADER_BYTES + min_value_bytes.get(kind, 0) or at + length > len(data):
            return False
        # The stream numbers of a reset request are 16 bits each.
        if min_value_bytes and length % 2:
            return False
        at += length + -length % 4
    return True


# What aiortc's SCTP raises at packets that are well formed but not allowed in its present state, or not to be answered.
_SCTP_ERRORS = (AssertionError, AttributeError, LookupError, SSL.Error, TypeError, ValueError, struct.error)


def guard_sctp(sctp: RTCSctpTransport, violated: Callable[[str], None]) -> None:
    """Let only sound packets reach `sctp`; call `violated` when the other side breaks the rules of the protocol.

    Packets arrive decrypted and authenticated, so a violation is the viewer's own.
    """
    handle: Callable[[bytes], Awaitable[None]] = sctp._handle_data

    async def handle_guarded(data: bytes) -> None:
        if not is_sound_sctp(data):
            return
        if _holds_too_much(sctp):
            violated("more unfinished data channel messages than the receive window holds")
            return
        try:
            await handle(data)
        except _SCTP_ERRORS as exc:
            violated(f"SCTP packet of {len(data)} bytes out of place ({type(exc).__name__})")

    sctp._handle_data = handle_guarded  # type: ignore[method-assign]


def _holds_too_much(sctp: RTCSctpTransport) -> bool:
    """Return whether the other side has left more unfinished than one that keeps to the window can.

    aiortc looks through all of it at every chunk: at 10,000 short ones that takes 4 ms each.
    """
    streams = sctp._inbound_streams
    return (
        sctp._advertised_rwnd < 0
        or len(sctp._sack_misordered) > _MAX_UNFINISHED_CHUNKS
        or len(streams) > _MAX_SCTP_STREAMS
        or sum(len(stream.reassembly) for stream in streams.values()) > _MAX_UNFINISHED_CHUNKS
    )


async def settle(owners: Iterable[object], timeout_s: float) -> int:
    """Wait for the tasks that the libraries started for `owners` and keep no reference to; cancel those that linger.

    Returns how many had to be cancelled.
    """
    wanted = {id(owner) for owner in owners}
    tasks = {task for task in asyncio.all_tasks() if task is not asyncio.current_task() and _owner(task) in wanted}
    if not tasks:
        return 0
    _, lingering = await asyncio.wait(tasks, timeout=timeout_s)
    for task in lingering:
        task.cancel()
    if lingering:
        await asyncio.wait(lingering, timeout=timeout_s)
    # Errors of tasks that nobody waits for are the end of what they worked on, and heard by nobody.
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
    return len(lingering)


def _owner(task: "asyncio.Task[Any]") -> int | None:
    frame = getattr(task.get_coro(), "cr_frame", None)
    return None if frame is None else id(frame.f_locals.get("self"))
