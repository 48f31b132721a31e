import struct

import pytest

from streamer.transport.guard import is_sound_sctp

INIT_FIELDS = struct.pack("!LLHHL", 1, 131_072, 10, 10, 1)


def chunk(kind: int, value: bytes, length: int | None = None) -> bytes:
    length = 4 + len(value) if length is None else length
    return struct.pack("!BBH", kind, 3, length) + value + bytes(-len(value) % 4)


def parameter(kind: int, value: bytes, length: int | None = None) -> bytes:
    length = 4 + len(value) if length is None else length
    return struct.pack("!HH", kind, length) + value + bytes(-len(value) % 4)


def sctp(*chunks: bytes) -> bytes:
    return struct.pack("!HHLL", 5000, 5000, 1, 0) + b"".join(chunks)


def sack(gaps: list[tuple[int, int]], count: int | None = None) -> bytes:
    blocks = b"".join(struct.pack("!HH", *gap) for gap in gaps)
    return chunk(3, struct.pack("!LLHH", 9, 1000, len(gaps) if count is None else count, 0) + blocks)


DATA = chunk(0, struct.pack("!LHHL", 1, 0, 0, 51) + b"x")


@pytest.mark.parametrize(
    "packet",
    [
        sctp(DATA),
        sctp(DATA, DATA, sack([])),
        sctp(sack([(2, 2), (4, 9)])),
        sctp(chunk(1, INIT_FIELDS + parameter(0xC000, b"") + parameter(0x8008, b"\x82\xc0\x01"))),
        sctp(chunk(2, INIT_FIELDS + parameter(7, bytes(24)))),
        sctp(chunk(4, parameter(1, b"beat"))),
        sctp(chunk(6, b"")),
        sctp(chunk(9, parameter(3, bytes(8)))),
        sctp(chunk(10, bytes(24))),
        sctp(chunk(11, b"")),
        sctp(chunk(130, parameter(13, bytes(14)))),
        sctp(chunk(130, parameter(16, bytes(8)))),
        sctp(chunk(192, struct.pack("!LHH", 5, 0, 1))),
        sctp(chunk(200, b"unknown kinds are skipped")),
    ],
)
def test_sound_packets_pass(packet):
    assert is_sound_sctp(packet)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        sctp(),
        sctp(chunk(0, b"", length=0)),
        sctp(chunk(0, b"x", length=400)),
        sctp(chunk(0, b"")),
        sctp(chunk(0, struct.pack("!LHHL", 1, 0, 0, 51))),
        sctp(chunk(1, INIT_FIELDS[:-1])),
        sctp(chunk(1, INIT_FIELDS), DATA),
        sctp(chunk(1, INIT_FIELDS + parameter(0xC000, b"", length=0))),
        sctp(chunk(2, INIT_FIELDS + parameter(7, b"", length=3))),
        sctp(chunk(4, parameter(1, b"beat", length=60))),
        sctp(chunk(130, parameter(13, bytes(8)))),
        sctp(chunk(130, parameter(13, bytes(13)))),
        sctp(chunk(192, b"")),
        sctp(chunk(192, bytes(6))),
        sctp(sack([(1, 2)], count=200)),
        sctp(sack([(5, 2)])),
        sctp(sack([(1, 60_000), (1, 60_000)])),
        sctp(sack([(0, 1)])),
    ],
)
def test_packets_whose_lengths_lead_astray_are_stopped(packet):
    assert not is_sound_sctp(packet)
