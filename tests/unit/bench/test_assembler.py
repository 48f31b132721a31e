from collections.abc import Sequence

from streamer.bench.assembler import AccessUnit, FrameAssembler
from streamer.errors import RemoteProtocolError
from streamer.rtp.packet import RtpPacket


def whole(payloads: Sequence[bytes]) -> bytes:
    """A payload format whose frames begin with `<` and end with `>`."""
    data = b"".join(payloads)
    if not (data.startswith(b"<") and data.endswith(b">")):
        raise RemoteProtocolError("a part of the frame is missing")
    return data


def packet(sequence: int, payload: bytes, ticks: int = 0) -> RtpPacket:
    return RtpPacket(96, payload.endswith(b">"), sequence % 2**16, ticks, ssrc=1, payload=payload)


def push(assembler: FrameAssembler, *packets: RtpPacket) -> list[AccessUnit]:
    return [unit for each in packets for unit in assembler.push(each)]


def test_frame_is_complete_with_its_last_packet():
    assembler = FrameAssembler(whole)

    assert push(assembler, packet(1, b"<a", 90)) == []
    assert push(assembler, packet(2, b"b>", 90)) == [AccessUnit(90, b"<ab>")]


def test_packets_are_put_in_order_across_the_wrap_and_doubles_count_once():
    assembler = FrameAssembler(whole)

    units = push(assembler, packet(65_535, b"<a"), packet(1, b"c>"), packet(0, b"b"), packet(0, b"b"))

    assert [unit.data for unit in units] == [b"<abc>"]


def test_gap_is_asked_for_once_and_holds_the_frames_behind_it():
    assembler = FrameAssembler(whole)

    early = push(assembler, packet(1, b"<a"), packet(4, b"<d>"), packet(5, b"<e>"))
    missing, again = assembler.take_missing(), assembler.take_missing()
    late = push(assembler, packet(2, b"b"), packet(3, b"c>"))

    assert (early, missing, again) == ([], [2, 3], [])
    assert [unit.data for unit in late] == [b"<abc>", b"<d>", b"<e>"]
    assert not assembler.take_keyframe_wish()


def test_gap_that_nobody_fills_is_given_up_for_a_keyframe():
    assembler = FrameAssembler(whole)
    push(assembler, packet(1, b"<a"))

    units = push(assembler, *(packet(sequence, b"<b>") for sequence in range(3, 400)))

    assert len(units) == 397
    assert assembler.gaps == 1
    assert assembler.take_keyframe_wish()
    assert not assembler.take_keyframe_wish()


def test_frame_whose_head_was_not_heard_is_dropped_for_a_keyframe():
    assembler = FrameAssembler(whole)

    units = push(assembler, packet(1, b"b>"), packet(2, b"<c>"))

    assert [unit.data for unit in units] == [b"<c>"]
    assert assembler.take_keyframe_wish()


def test_padding_is_part_of_no_frame():
    assembler = FrameAssembler(whole)

    units = push(assembler, packet(1, b"<a"), packet(2, b""), packet(3, b"b>"))

    assert [unit.data for unit in units] == [b"<ab>"]
