"""Whatever bytes arrive, parsing gives messages in bounded number, or RemoteProtocolError."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import RemoteProtocolError
from streamer.rtp import rtcp
from streamer.rtp.feedback import MAX_STATUSES, FeedbackUnwrapper, parse_feedback, serialize_feedback
from streamer.rtp.requests import MAX_NACK_SEQUENCES
from tests.fakes.mutations import changed_bytes, round_trips

_U8 = st.integers(0, 255)
_U16 = st.integers(0, 65535)
_U24 = st.integers(0, (1 << 24) - 1)
_U32 = st.integers(0, (1 << 32) - 1)
_U64 = st.integers(0, (1 << 64) - 1)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=255 // 4)

_BLOCKS = st.builds(rtcp.ReportBlock, _U32, _U8, st.integers(-(1 << 23), (1 << 23) - 1), _U32, _U32, _U32, _U32)
_BLOCK_TUPLES = st.lists(_BLOCKS, max_size=3).map(tuple)
_DELTAS = st.one_of(st.none(), st.integers(0, 255), st.integers(-(1 << 15), (1 << 15) - 1))
_RUNS = st.tuples(_DELTAS, st.integers(1, 40)).map(lambda run: [run[0]] * run[1])
_FEEDBACKS = st.builds(
    rtcp.TransportFeedback,
    _U32,
    _U32,
    _U16,
    _U24,
    _U8,
    st.lists(_RUNS, max_size=8).map(lambda runs: tuple(delta for run in runs for delta in run)),
)

_MESSAGES = st.one_of(
    st.builds(rtcp.SenderReport, _U32, _U64, _U32, _U32, _U32, _BLOCK_TUPLES),
    st.builds(rtcp.ReceiverReport, _U32, _BLOCK_TUPLES),
    st.builds(lambda ssrc, cname: rtcp.SourceDescription(((ssrc, cname),)), _U32, _TEXTS),
    st.builds(rtcp.Goodbye, st.lists(_U32, max_size=31).map(tuple), st.one_of(st.none(), _TEXTS.filter(bool))),
    st.builds(rtcp.PictureLoss, _U32, _U32),
    st.builds(rtcp.FullIntraRequest, _U32, st.lists(st.tuples(_U32, _U8), min_size=1, max_size=5).map(tuple)),
    st.builds(rtcp.Nack, _U32, _U32, st.lists(st.one_of(_U16, st.integers(0, 20)), max_size=40).map(tuple)),
    st.builds(rtcp.Remb, _U32, st.integers(0, (1 << 18) - 1), st.lists(_U32, max_size=5).map(tuple)),
    _FEEDBACKS,
)


def _serialize(message):  # noqa: PLR0911 - one return for each kind of message
    match message:
        case rtcp.SenderReport(ssrc, ntp, timestamp, packets, octets, blocks):
            return rtcp.serialize_sender_report(
                ssrc=ssrc, ntp=ntp, rtp_timestamp=timestamp, packet_count=packets, octet_count=octets, blocks=blocks
            )
        case rtcp.ReceiverReport(ssrc, blocks):
            return rtcp.serialize_receiver_report(ssrc, blocks)
        case rtcp.SourceDescription(((ssrc, cname),)):
            return rtcp.serialize_source_description(ssrc, cname)
        case rtcp.Goodbye(ssrcs, reason):
            return rtcp.serialize_goodbye(ssrcs, reason or "")
        case rtcp.PictureLoss(sender, media):
            return rtcp.serialize_picture_loss(sender, media)
        case rtcp.FullIntraRequest(sender, entries):
            return rtcp.serialize_full_intra_request(sender, entries)
        case rtcp.Nack(sender, media, sequences):
            return rtcp.serialize_nack(sender, media, sequences)
        case rtcp.Remb(sender, bps, ssrcs):
            return rtcp.serialize_remb(sender, bps, ssrcs)
        case _:
            return rtcp.serialize_transport_feedback(message)


def _check(data):
    try:
        messages = rtcp.parse_compound(data)
    except RemoteProtocolError:
        return
    # Four bytes at least for each message, and one for framing that broke.
    assert 1 <= len(messages) <= len(data) // 4 + 1
    feedbacks = [message for message in messages if isinstance(message, rtcp.TransportFeedback)]
    assert sum(len(message.deltas) for message in feedbacks) <= MAX_STATUSES
    for message in feedbacks:
        assert len(FeedbackUnwrapper().unwrap(message, 100_000)) <= len(message.deltas)
    sequences = [sequence for message in messages if isinstance(message, rtcp.Nack) for sequence in message.sequences]
    assert len(sequences) <= MAX_NACK_SEQUENCES
    assert all(0 <= sequence <= 65535 for sequence in sequences)


def _body(packet_type, first, body):
    body = body[: len(body) & ~3]
    return bytes((first, packet_type)) + (len(body) // 4).to_bytes(2, "big") + body


# What names the most packets in the fewest bytes: runs of packets that did not arrive, and losses with all followers.
_DENSE_FEEDBACKS = st.integers(0, MAX_STATUSES).map(
    lambda packets: rtcp.TransportFeedback(1, 2, 0, 0, 0, (None,) * packets)
)
_DENSE_NACKS = st.integers(0, 1700).map(lambda packets: rtcp.Nack(1, 2, tuple(range(packets))))
_COMPOUNDS = st.lists(_DENSE_FEEDBACKS | _DENSE_NACKS | _MESSAGES, min_size=1, max_size=8)

_INPUTS = st.one_of(
    st.binary(max_size=2100),
    st.builds(_body, st.sampled_from(range(200, 208)), st.integers(0x80, 0xBF), st.binary(max_size=80)),
    changed_bytes(_MESSAGES.map(_serialize)),
    _COMPOUNDS.map(lambda messages: b"".join(map(_serialize, messages))[: rtcp.MAX_COMPOUND_BYTES]),
)


@given(_INPUTS)
def test_rtcp_survives_any_bytes(data):
    _check(data)


@round_trips
@given(st.lists(_MESSAGES, min_size=1, max_size=3))
def test_rtcp_round_trips_every_message(messages):
    data = b"".join(_serialize(message) for message in messages)
    if len(data) <= rtcp.MAX_COMPOUND_BYTES:
        assert rtcp.parse_compound(data) == messages


@round_trips
@given(_FEEDBACKS)
def test_feedback_round_trips_without_its_frame(feedback):
    assert parse_feedback(serialize_feedback(feedback)) == feedback


@given(st.binary(max_size=200))
def test_feedback_survives_any_bytes(body):
    try:
        feedback = parse_feedback(body)
    except RemoteProtocolError:
        return
    assert len(feedback.deltas) <= MAX_STATUSES
