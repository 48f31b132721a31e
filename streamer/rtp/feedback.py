"""Transport-wide feedback: which packets of the transport arrived, and when, as the receiver's report says it.

Owns the wire format and the unwrapping of its numbers. What arrival times mean is `congestion/`'s. Format:
draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from streamer.errors import LocalProtocolError, RemoteProtocolError

# 3.1: deltas count in 250 us, the reference time in 64 ms.
DELTA_US = 250
REFERENCE_US = 64_000
# More packets than this are not reported at once: two seconds of 20 Mbit/s, where reports come every 250 ms at least.
# Two bytes can stand for 8191 packets that did not arrive, and each costs whoever reads it some work.
MAX_STATUSES = 4096

_HEAD = Struct("!IIHH")
_CHUNK = Struct("!H")
_LARGE_DELTA = Struct("!h")
_LARGE_DELTA_RANGE = range(-0x8000, 0x8000)

_NOT_RECEIVED = 0
_SMALL_DELTA = 1
_BIG_DELTA = 2
_SMALL_DELTA_MAX = 0xFF

_VECTOR_BIT = 0x8000
_TWO_BIT_SYMBOLS = 0x4000
_RUN_LENGTH_MASK = 0x1FFF
_ONE_BIT_VECTOR_SYMBOLS = 14
_TWO_BIT_VECTOR_SYMBOLS = 7
_SEQUENCE_MASK = 0xFFFF
_REFERENCE_BITS = 24


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """One report.

    `deltas` has an entry per packet from `base_sequence` on: None for one that did not arrive, else the time since the
    one that arrived before it (for the first, since the reference time) in units of 250 us. `reference` is the
    receiver's time in units of 64 ms, modulo 2^24; `feedback_count` goes up by one, modulo 2^8.
    """

    sender_ssrc: int
    media_ssrc: int
    base_sequence: int
    reference: int
    feedback_count: int
    deltas: tuple[int | None, ...]


def parse_feedback(body: bytes) -> TransportFeedback:
    """Parse what follows the common RTCP header, padding removed. Its length need not be a multiple of four.

    Raises:
        RemoteProtocolError: it is for too many packets, chunks or deltas do not cover them, or a symbol is reserved.
    """
    if len(body) < _HEAD.size + 4:
        raise RemoteProtocolError(f"transport feedback of {len(body)} bytes")
    sender_ssrc, media_ssrc, base_sequence, status_count = _HEAD.unpack_from(body)
    if status_count > MAX_STATUSES:
        raise RemoteProtocolError(f"transport feedback for {status_count} packets")
    tail = int.from_bytes(body[_HEAD.size : _HEAD.size + 4], "big")
    symbols, at = _parse_symbols(body, _HEAD.size + 4, status_count)
    return TransportFeedback(
        sender_ssrc=sender_ssrc,
        media_ssrc=media_ssrc,
        base_sequence=base_sequence,
        reference=tail >> 8,
        feedback_count=tail & 0xFF,
        deltas=_parse_deltas(body, at, symbols),
    )


def _parse_symbols(body: bytes, at: int, status_count: int) -> tuple[list[int], int]:
    """Return one symbol per packet and where the deltas begin. The last chunk may cover more packets than there are."""
    symbols: list[int] = []
    while len(symbols) < status_count:
        if at + _CHUNK.size > len(body):
            raise RemoteProtocolError(f"transport feedback covers {len(symbols)} of {status_count} packets")
        (chunk,) = _CHUNK.unpack_from(body, at)
        at += _CHUNK.size
        if not chunk & _VECTOR_BIT:
            run = min(chunk & _RUN_LENGTH_MASK, status_count - len(symbols))
            symbols += [chunk >> 13] * run
        elif chunk & _TWO_BIT_SYMBOLS:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    del symbols[status_count:]
    return symbols, at


def _parse_deltas(body: bytes, at: int, symbols: list[int]) -> tuple[int | None, ...]:
    deltas: list[int | None] = []
    end = len(body)
    for symbol in symbols:
        if symbol == _NOT_RECEIVED:
            deltas.append(None)
        elif symbol == _SMALL_DELTA and at < end:
            deltas.append(body[at])
            at += 1
        elif symbol == _BIG_DELTA and at + 2 <= end:
            deltas.append(_LARGE_DELTA.unpack_from(body, at)[0])
            at += 2
        else:
            raise RemoteProtocolError(f"transport feedback has no delta for status {symbol} of packet {len(deltas)}")
    return tuple(deltas)


def serialize_feedback(feedback: TransportFeedback) -> bytes:
    """Return what follows the common RTCP header, without padding.

    Raises:
        LocalProtocolError: there are too many packets, or a delta does not fit into 16 bits.
    """
    symbols = [_symbol(delta) for delta in feedback.deltas]
    if len(symbols) > MAX_STATUSES:
        raise LocalProtocolError(f"transport feedback for {len(symbols)} packets")
    head = _HEAD.pack(feedback.sender_ssrc, feedback.media_ssrc, feedback.base_sequence, len(symbols))
    tail = (feedback.reference << 8 | feedback.feedback_count).to_bytes(4, "big")
    deltas = b"".join(
        bytes((delta,)) if 0 <= delta <= _SMALL_DELTA_MAX else _LARGE_DELTA.pack(delta)
        for delta in feedback.deltas
        if delta is not None
    )
    return head + tail + _serialize_symbols(symbols) + deltas


def _symbol(delta: int | None) -> int:
    if delta is None:
        return _NOT_RECEIVED
    if delta not in _LARGE_DELTA_RANGE:
        raise LocalProtocolError(f"a feedback delta of {delta} units of 250 us")
    return _SMALL_DELTA if 0 <= delta <= _SMALL_DELTA_MAX else _BIG_DELTA


def _serialize_symbols(symbols: Sequence[int]) -> bytes:
    """Pack the symbols: runs where they are longer than a vector, else one-bit vectors, else two-bit ones."""
    chunks: list[int] = []
    at = 0
    while at < len(symbols):
        run = _run_length(symbols, at)
        window = symbols[at : at + _ONE_BIT_VECTOR_SYMBOLS]
        if run >= min(_ONE_BIT_VECTOR_SYMBOLS, len(symbols) - at):
            chunks.append(symbols[at] << 13 | run)
            at += run
        elif _BIG_DELTA not in window:
            bits = sum(symbol << 13 - place for place, symbol in enumerate(window))
            chunks.append(_VECTOR_BIT | bits)
            at += _ONE_BIT_VECTOR_SYMBOLS
        else:
            pairs = sum(symbol << 12 - 2 * place for place, symbol in enumerate(window[:_TWO_BIT_VECTOR_SYMBOLS]))
            chunks.append(_VECTOR_BIT | _TWO_BIT_SYMBOLS | pairs)
            at += _TWO_BIT_VECTOR_SYMBOLS
    return b"".join(_CHUNK.pack(chunk) for chunk in chunks)


def _run_length(symbols: Sequence[int], at: int) -> int:
    end = at
    limit = min(len(symbols), at + _RUN_LENGTH_MASK)
    while end < limit and symbols[end] == symbols[at]:
        end += 1
    return end - at


class FeedbackUnwrapper:
    """Turns the wrapped numbers of one receiver's reports into indices and arrival times. One per transport.

    An index counts the packets that this side has sent, without wrapping; arrival times are microseconds of the
    receiver's clock, whose zero is unknown: only differences mean anything.
    """

    __slots__ = ("_reference",)

    def __init__(self) -> None:
        self._reference: int | None = None

    def unwrap(self, feedback: TransportFeedback, newest_index: int) -> list[tuple[int, int | None]]:
        """Return (index, arrival_us) per packet in order; arrival_us is None for one that had not arrived.

        `newest_index` is the index of the packet sent last. Sequence numbers are read as the newest ones that are not
        after it, so that a long silence between two reports does no harm; packets that were never sent are left out.
        """
        base = newest_index - ((newest_index - feedback.base_sequence) & _SEQUENCE_MASK)
        ticks = self._unwrap_reference(feedback.reference) * (REFERENCE_US // DELTA_US)
        arrivals: list[tuple[int, int | None]] = []
        for index, delta in enumerate(feedback.deltas[: newest_index - base + 1], base):
            if delta is None:
                arrivals.append((index, None))
            else:
                ticks += delta
                arrivals.append((index, ticks * DELTA_US))
        return arrivals

    def _unwrap_reference(self, reference: int) -> int:
        """Return the time nearest to the last one: reports can overtake each other around the wrap."""
        if self._reference is not None:
            half = 1 << _REFERENCE_BITS - 1
            ahead = (reference - self._reference + half) % (1 << _REFERENCE_BITS) - half
            reference = self._reference + ahead
        self._reference = reference
        return reference
