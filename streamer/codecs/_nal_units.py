"""NAL units, which H.264 and H.265 share: found in Annex B streams, carried by RTP payloads of the same three kinds.

A payload is a NAL unit, several of them together, or a fragment of one (RFC 6184, section 5; RFC 7798, section 4.4).
The two codecs differ in their headers, which a `NalFormat` describes. A frame of 100 kB passes here sixty times a
second: it is searched once, and copied once into its payloads.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from streamer.errors import LocalProtocolError, RemoteProtocolError

START_CODE = b"\x00\x00\x01"
LONG_START_CODE = b"\x00\x00\x00\x01"
FORBIDDEN_BIT = 0x80
_FRAGMENT_START, _FRAGMENT_END = 0x80, 0x40
_LENGTH_BYTES = 2
# A little faster than `bytes.find`, whose strides are as short as what it looks for.
_start_codes = re.compile(START_CODE).finditer


def nal_units(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each NAL unit (Annex B.1): zeros before a start code belong to no unit."""
    starts = [code.end() for code in _start_codes(data)]
    for start, following in pairwise([*starts, len(data) + len(START_CODE)]):
        end = _without_zeros(data, start, following - len(START_CODE))
        if end > start:
            yield start, end


def unit_starts(data: bytes) -> Iterator[int]:
    """Yield where each NAL unit begins. What follows the one that was asked for last is not searched."""
    for code in _start_codes(data):
        start = code.end()
        # What begins with a zero may be zeros up to the next start code, and no unit.
        if data[start : start + 1] > b"\0" or unit_end(data, start) > start:
            yield start


def unit_end(data: bytes, start: int) -> int:
    """Return where the NAL unit ends that begins at `start`."""
    limit = data.find(START_CODE, start)
    return _without_zeros(data, start, len(data) if limit < 0 else limit)


def _without_zeros(data: bytes, start: int, end: int) -> int:
    while end > start and data[end - 1] == 0:
        end -= 1
    return end


def no_unit(data: bytes) -> LocalProtocolError:
    """Return the error of an access unit that is none."""
    return LocalProtocolError(f"there is no NAL unit in an access unit of {len(data)} bytes")


def without_emulation_prevention(data: bytes) -> bytes:
    """Return the payload of a NAL unit: a 3 after two zeros is not part of it."""
    return data.replace(b"\x00\x00\x03", b"\x00\x00")


def with_emulation_prevention(data: bytes) -> bytes:
    """Return the NAL unit that carries a payload, in which nothing looks like a start code."""
    result = bytearray()
    zeros = 0
    for byte in data:
        if zeros >= 2 and byte <= 3:  # noqa: PLR2004 - the clause's own numbers
            result.append(3)
            zeros = 0
        result.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(result)


@dataclass(frozen=True, slots=True)
class NalFormat:
    """The NAL unit header of one codec and its RTP payload format. Stateless."""

    header_bytes: int
    # Where the first byte of a header has the type.
    type_mask: int
    type_shift: int
    # The types that a payload of one NAL unit may have, and those of the other two kinds of payload.
    unit_types: range
    aggregation_type: int
    fragment_type: int
    # Of sequence parameter sets, and of what they have to come before.
    parameter_set_type: int
    slice_types: range
    # Delimiters and filler: packets have boundaries of their own.
    not_sent: frozenset[int]
    # Returns the header of the payload that carries these NAL units together.
    joint_header: Callable[[Sequence[bytes]], bytes]

    def type_of(self, header: int) -> int:
        """Return the type that the first byte of a header tells."""
        return (header & self.type_mask) >> self.type_shift

    def with_parameter_sets(self, data: bytes, rewrite: Callable[[bytes], bytes]) -> bytes:
        """Return the access unit with its sequence parameter sets rewritten.

        Raises:
            LocalProtocolError: there is no NAL unit in it, or a parameter set that cannot be read.
        """
        rewritten: list[bytes] = []
        kept_from, kind = 0, None
        for start in unit_starts(data):
            kind = self.type_of(data[start])
            if kind == self.parameter_set_type:
                end = unit_end(data, start)
                rewritten += data[kept_from:start], rewrite(data[start:end])
                kept_from = end
            elif kind in self.slice_types:
                # Parameter sets come before the slices that need them. What follows is not searched.
                break
        if kind is None:
            raise no_unit(data)
        return b"".join((*rewritten, data[kept_from:])) if rewritten else data

    def packetize(self, data: bytes, max_payload_bytes: int) -> tuple[bytes, ...]:
        """Return the payloads of an access unit: small units together, large ones in fragments of about equal size.

        Raises:
            LocalProtocolError: there is no NAL unit in it, or one without a whole header.
        """
        payloads: list[bytes] = []
        together: list[bytes] = []
        together_bytes = self.header_bytes
        for start, end in nal_units(data):
            if self.type_of(data[start]) in self.not_sent:
                continue
            size_bytes = end - start
            if size_bytes < self.header_bytes:
                raise LocalProtocolError("a NAL unit is shorter than its header")
            if together and together_bytes + _LENGTH_BYTES + size_bytes > max_payload_bytes:
                payloads.append(self._join(together))
                together, together_bytes = [], self.header_bytes
            if size_bytes > max_payload_bytes:
                payloads += self._fragments(memoryview(data)[start:end], max_payload_bytes)
            else:
                together.append(data[start:end])
                together_bytes += _LENGTH_BYTES + size_bytes
        if together:
            payloads.append(self._join(together))
        if not payloads:
            raise no_unit(data)
        return tuple(payloads)

    def depacketize(self, payloads: Sequence[bytes]) -> bytes:
        """Return the access unit that the payloads of one frame carry, in order.

        Raises:
            RemoteProtocolError: they are not whole payloads of this format.
        """
        units: list[bytes] = []
        fragments: list[bytes] = []
        for payload in payloads:
            if len(payload) < self.header_bytes:
                raise RemoteProtocolError("a payload is shorter than its header")
            kind = self.type_of(payload[0])
            if kind == self.fragment_type:
                self._collect(payload, fragments, units)
            elif fragments:
                raise RemoteProtocolError("a fragment of a NAL unit is missing")
            elif kind == self.aggregation_type:
                units += self._split(payload)
            elif kind in self.unit_types:
                units.append(payload)
            else:
                raise RemoteProtocolError(f"payload type {kind} is not part of the payload format")
        if fragments or not units:
            raise RemoteProtocolError("the last payload of a frame is missing")
        return b"".join(LONG_START_CODE + unit for unit in units)

    def _join(self, units: list[bytes]) -> bytes:
        if len(units) == 1:
            return units[0]
        parts = [part for unit in units for part in (len(unit).to_bytes(_LENGTH_BYTES, "big"), unit)]
        return self.joint_header(units) + b"".join(parts)

    def _fragments(self, unit: memoryview, max_payload_bytes: int) -> list[bytes]:
        """Fragments of equal size leave no tiny last packet."""
        kind = self.type_of(unit[0])
        header = self._with_type(unit, self.fragment_type)
        first, middle, last = (header + bytes((flag | kind,)) for flag in (_FRAGMENT_START, 0, _FRAGMENT_END))
        room = max_payload_bytes - len(middle)
        count = -(-(len(unit) - self.header_bytes) // room)
        step = -(-(len(unit) - self.header_bytes) // count)
        starts = range(self.header_bytes, len(unit), step)
        fragments = [middle + unit[at : at + step] for at in starts[1:-1]]
        return [first + unit[starts[0] : starts[0] + step], *fragments, last + unit[starts[-1] :]]

    def _collect(self, payload: bytes, fragments: list[bytes], units: list[bytes]) -> None:
        content_at = self.header_bytes + 1
        if len(payload) <= content_at:
            raise RemoteProtocolError("a fragment has no content")
        header = payload[self.header_bytes]
        is_start, is_end = bool(header & _FRAGMENT_START), bool(header & _FRAGMENT_END)
        if is_start == bool(fragments) or (is_start and is_end):
            raise RemoteProtocolError("fragments of a NAL unit are out of order")
        if is_start:
            fragments.append(self._with_type(payload, header & self.type_mask >> self.type_shift))
        fragments.append(payload[content_at:])
        if is_end:
            units.append(b"".join(fragments))
            fragments.clear()

    def _with_type(self, unit: bytes | memoryview, kind: int) -> bytes:
        """Return the header of a unit or payload with another type."""
        return bytes((unit[0] & ~self.type_mask & 0xFF | kind << self.type_shift, *unit[1 : self.header_bytes]))

    def _split(self, payload: bytes) -> list[bytes]:
        units: list[bytes] = []
        at = self.header_bytes
        while at < len(payload):
            start = at + _LENGTH_BYTES
            at = start + int.from_bytes(payload[at:start], "big")
            if at > len(payload) or at - start < self.header_bytes:
                raise RemoteProtocolError("the parts of an aggregation packet do not fit it")
            units.append(payload[start:at])
        if not units:
            raise RemoteProtocolError("an aggregation packet is empty")
        return units
