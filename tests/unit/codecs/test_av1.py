import av
import pytest

from streamer.codecs import av1
from streamer.errors import LocalProtocolError, RemoteProtocolError
from streamer.media.frame import Resolution
from tests.fakes.noise import NOISE_SIZE, encoded_noise

# OBUs with a size field: the header has the type from bit 3 on, and 2 for the size. The bodies mean nothing but for
# their first bits: a shown key frame begins with 0001, a shown inter frame with 0011.
_DELIMITER = b"\x12\x00"
_SEQUENCE = b"\x0a\x03abc"
_KEY = b"\x32\x02\x10k"
_INTER = b"\x32\x02\x30i"
_HEADER_OF_KEY = b"\x1a\x01\x10"
_TILES = b"\x22\x03til"
_METADATA = b"\x2a\x02me"
_PADDING = b"\x7a\x01\x80"
_OPTIONS = {
    "preset": "12",
    "b": "4M",
    "g": "1000",
    "svtav1-params": "rc=2:pred-struct=1:rtc=1:hierarchical-levels=0:lp=1",
}


def _frame(size_bytes: int, start: int = 0x30) -> bytes:
    """Return a frame OBU with a body of so many bytes, from 128 to 16383: its length takes two bytes."""
    body = bytes((start,)) + bytes(place % 255 + 1 for place in range(size_bytes - 1))
    return b"\x32" + bytes((size_bytes & 0x7F | 0x80, size_bytes >> 7)) + body


@pytest.mark.parametrize(
    ("width_px", "height_px", "fps", "level"),
    [
        # Samples per second against annex A.3: 2048 x 1152 x 30 = 70778880 is exactly level 4.0.
        (2048, 1152, 30, 8),
        (1280, 720, 30, 5),
        (1280, 720, 60, 8),
        (1920, 1080, 60, 9),
        (2560, 1440, 60, 12),
        (3840, 2160, 60, 13),
        (3840, 2160, 120, 14),
        (176, 144, 15, 0),
        # Wider than level 2.0 allows, and than 2.1.
        (2816, 16, 1, 1),
        (2818, 16, 1, 4),
        (32768, 16384, 240, 18),
    ],
)
def test_av1_offers_the_level_of_the_largest_picture(width_px, height_px, fps, level):
    (offered,) = av1.sdp_formats(Resolution(width_px, height_px), fps)

    assert (offered.mime_type, offered.clock_rate_hz) == ("video/AV1", 90_000)
    assert dict(offered.parameters) == {"level-idx": str(level), "profile": "0", "tier": "0"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_DELIMITER + _SEQUENCE + _KEY, True),
        (_DELIMITER + _SEQUENCE + _METADATA + _HEADER_OF_KEY + _TILES, True),
        (_DELIMITER + _KEY, False),
        (_DELIMITER + _SEQUENCE + _INTER, False),
        (_DELIMITER + _INTER + _SEQUENCE + _KEY, False),
        # A key frame that is not shown, one that is shown again, and one without a body.
        (_SEQUENCE + b"\x32\x01\x00", False),
        (_SEQUENCE + b"\x1a\x01\x80", False),
        (_SEQUENCE + b"\x32\x00", False),
        # An extension byte before the size; and no size, so that it goes up to the end.
        (_SEQUENCE + b"\x36\x20\x01\x10", True),
        (_SEQUENCE + b"\x30\x10key", True),
    ],
)
def test_av1_keyframe_is_a_shown_key_frame_behind_its_sequence_header(data, expected):
    assert av1.is_keyframe(data) is expected


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no frame in a temporal unit of 0 bytes"),
        (_DELIMITER + _SEQUENCE, "no frame"),
        (_KEY[:-1], "does not consist of OBUs"),
        (b"\xb2\x01\x10", "does not consist of OBUs"),
        (b"\x34", "does not consist of OBUs"),
        (b"\x32", "does not end"),
        (b"\x32" + b"\xff" * 9, "does not end"),
    ],
)
@pytest.mark.parametrize("work", [av1.is_keyframe, lambda data: av1.packetize(data, 1200)])
def test_av1_refuses_what_is_no_temporal_unit(work, data, complaint):
    with pytest.raises(LocalProtocolError, match=complaint):
        work(data)


def test_av1_conform_leaves_a_frame_as_it_is():
    data = _DELIMITER + _INTER

    assert av1.conform(data) is data


def test_av1_payload_has_no_delimiter_no_padding_and_no_sizes():
    (payload,) = av1.packetize(_DELIMITER + _SEQUENCE + _KEY + _PADDING, 1200)

    # Two elements and a new sequence; the header of each without its size bit, and a length before the first alone.
    assert payload == b"\x28" + b"\x04\x08abc" + b"\x30\x10k"


def test_av1_payload_of_many_elements_has_a_length_before_each():
    (payload,) = av1.packetize(_DELIMITER + _SEQUENCE + _METADATA + _HEADER_OF_KEY + _TILES, 1200)

    assert payload == b"\x08" + b"\x04\x08abc" + b"\x03\x28me" + b"\x02\x18\x10" + b"\x04\x20til"


def test_av1_delta_frame_begins_no_sequence():
    assert av1.packetize(_DELIMITER + _INTER, 1200) == (b"\x10\x30\x30i",)


def test_av1_extension_byte_is_kept():
    (payload,) = av1.packetize(b"\x36\x20\x01\x30", 1200)

    assert payload == b"\x10\x34\x20\x30"
    assert av1.depacketize([payload]) == _DELIMITER + b"\x36\x20\x01\x30"


def test_av1_large_frame_is_cut_into_payloads_of_about_equal_size():
    payloads = av1.packetize(_DELIMITER + _SEQUENCE + _frame(300, 0x10), 110)

    # Z, Y, the number of elements, N: begun with a new sequence, gone on with, ended.
    assert [payload[0] for payload in payloads] == [0x68, 0xD0, 0x90]
    assert max(map(len, payloads)) <= 110
    assert min(map(len, payloads)) > 100


def test_av1_packets_break_inside_of_obus_alone():
    tiles = b"".join(b"\x22" + bytes((80,)) + bytes(80) for _ in range(12))
    data = _DELIMITER + _HEADER_OF_KEY + tiles

    for max_payload_bytes in range(40, 400):
        first, *following = av1.packetize(data, max_payload_bytes)
        assert not first[0] & 0x80
        assert all(payload[0] & 0x80 for payload in following)


@pytest.mark.parametrize("max_payload_bytes", [4, 5, 60, 99, 100, 101, 102, 1200])
def test_av1_payloads_come_back_as_the_temporal_unit(max_payload_bytes):
    data = _DELIMITER + _SEQUENCE + _METADATA + _frame(300, 0x10) + _frame(1000) + _INTER

    payloads = av1.packetize(data, max_payload_bytes)

    assert max(map(len, payloads)) <= max_payload_bytes
    assert av1.depacketize(payloads) == data


def test_av1_survives_the_way_from_an_encoder_to_a_decoder(monkeypatch):
    monkeypatch.setenv("SVT_LOG", "1")
    decoder = av.CodecContext.create("libdav1d", "r")
    decoder.thread_count = 1

    pictures = []
    temporal_units = encoded_noise("libsvtav1", 4, _OPTIONS)
    for number, data in enumerate(temporal_units):
        payloads = av1.packetize(av1.conform(data), 1200)
        assert av1.is_keyframe(data) == (number == 0)
        assert av1.depacketize(payloads) == data
        pictures.append(decoder.decode(av.Packet(av1.depacketize(payloads))))

    assert [len(shown) for shown in pictures] == [1] * 4
    assert {(shown.width, shown.height) for (shown,) in pictures} == {(NOISE_SIZE.width_px, NOISE_SIZE.height_px)}
    assert max(map(len, temporal_units)) > 6 * 1200


@pytest.mark.parametrize(
    ("payloads", "complaint"),
    [
        ([], "the last payload"),
        ([b""], "is empty"),
        ([b"\x10"], "0 elements instead of 1"),
        ([b"\x00"], "0 elements instead of 0"),
        ([b"\x20\x02\x30i"], "1 elements instead of 2"),
        ([b"\x20\x00\x30i"], "do not fit"),
        ([b"\x00\x04\x30i"], "do not fit"),
        ([b"\x00\x80"], "does not end"),
        ([b"\x90i"], "a fragment of an OBU is missing"),
        ([b"\x50\x30i", b"\x10\x30i"], "a fragment of an OBU is missing"),
        ([b"\x50\x30i"], "the last payload"),
        ([b"\x10\x32\x00"], "not an OBU without size"),
        ([b"\x10\xb0i"], "not an OBU without size"),
        ([b"\x10\x34"], "not an OBU without size"),
    ],
)
def test_av1_refuses_payloads_that_are_no_frame(payloads, complaint):
    with pytest.raises(RemoteProtocolError, match=complaint):
        av1.depacketize(payloads)
