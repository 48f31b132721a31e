import pytest

from streamer.errors import LocalProtocolError
from streamer.rtp import rtcp
from streamer.rtp.requests import MAX_NACK_SEQUENCES


def _only(data):
    (message,) = rtcp.parse_compound(data)
    return message


def test_nack_names_the_packet_and_its_sixteen_followers():
    data = bytes.fromhex("81 cd 0003 00000001 00000002 000a ffff")

    assert _only(data) == rtcp.Nack(1, 2, tuple(range(10, 27)))


def test_nack_followers_wrap_with_the_sequence():
    data = bytes.fromhex("81 cd 0003 00000001 00000002 fffe 0007")

    assert _only(data) == rtcp.Nack(1, 2, (65534, 65535, 0, 1))


def test_nack_is_read_up_to_its_limit():
    sequences = range(MAX_NACK_SEQUENCES + 100)

    message = _only(rtcp.serialize_nack(1, 2, sequences))

    assert message == rtcp.Nack(1, 2, tuple(sequences[:MAX_NACK_SEQUENCES]))


@pytest.mark.parametrize(
    ("sequences", "entries"),
    [
        ([5], 1),
        ([5, 6, 21], 1),
        ([5, 22], 2),
        ([65535, 0, 15], 1),
        ([65535, 16], 2),
        ([9, 3], 2),
        ([5, 5], 2),
        ([5, 6, 6], 2),
        ([5, 8, 7], 2),
        ([], 0),
    ],
)
def test_nack_shares_entries_between_neighbours(sequences, entries):
    data = rtcp.serialize_nack(1, 2, sequences)

    assert len(data) == 12 + 4 * entries
    assert _only(data) == rtcp.Nack(1, 2, tuple(sequences))


def test_picture_loss_and_full_intra_request_have_the_layout_of_their_rfcs():
    assert rtcp.serialize_picture_loss(1, 2) == bytes.fromhex("81 ce 0002 00000001 00000002")
    assert rtcp.serialize_full_intra_request(1, [(2, 3)]) == bytes.fromhex(
        "84 ce 0004 00000001 00000000 00000002 03000000"
    )


def test_picture_loss_and_full_intra_request_read_back():
    assert _only(rtcp.serialize_picture_loss(1, 2)) == rtcp.PictureLoss(1, 2)
    request = _only(rtcp.serialize_full_intra_request(1, [(2, 3), (4, 255)]))
    assert request == rtcp.FullIntraRequest(1, ((2, 3), (4, 255)))


@pytest.mark.parametrize("bps", [0, 1, 262_143, 262_144, 5_000_000, 1 << 62])
def test_remb_keeps_18_significant_bits(bps):
    message = _only(rtcp.serialize_remb(1, bps, [2, 3]))

    assert isinstance(message, rtcp.Remb)
    assert message.ssrcs == (2, 3)
    assert bps - bps // (1 << 17) <= message.bps <= bps


@pytest.mark.parametrize("bps", [-1, (1 << 62) + 1])
def test_remb_refuses_a_rate_that_no_path_has(bps):
    with pytest.raises(LocalProtocolError, match="bit/s"):
        rtcp.serialize_remb(1, bps, [])


def test_application_layer_feedback_other_than_remb_is_unknown():
    data = bytes.fromhex("8f ce 0003 00000001 00000000") + b"ABCD"

    assert _only(data) == rtcp.Unknown(206, 15)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("81 cd 0001 00000001", "has no word"),
        ("81 ce 0001 00000001", "has no word"),
        ("84 ce 0002 00000001 00000000", "0 bytes of entries"),
        ("84 ce 0003 00000001 00000000 00000002", "4 bytes of entries"),
        ("8f ce 0003 00000001 00000000 52454d42", "has no word"),
        ("8f ce 0004 00000001 00000000 52454d42 01000001", "has no word"),
        ("8f ce 0004 00000001 00000000 52454d42 00ffffff", "a maximum bitrate"),
    ],
)
def test_request_that_makes_no_sense_says_why(data, complaint):
    message = _only(bytes.fromhex(data))

    assert isinstance(message, rtcp.Malformed)
    assert complaint in message.reason
