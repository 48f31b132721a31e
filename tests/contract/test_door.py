"""What a session promises to whoever stands outside: the same in process and through a socket."""

import pytest

from streamer.protocol import control
from streamer.protocol.control import Stream
from streamer.protocol.input import Held, Key, Pointer, serialize
from streamer.protocol.signaling import Answer, Bye, ByeCode, Candidate, EndOfCandidates, Offer
from streamer.session.door import Ended, Join, Leave, Opened, Said, Stop
from streamer.transport.base import CONTROL, KEYS, MOTION
from tests.fakes.peer import MALFORMED, REFUSES_VIDEO
from tests.fakes.session import holder, open_session
from tests.fakes.waiting import until


@pytest.fixture(params=[False, True], ids=["in process", "through a socket"])
def through_socket(request) -> bool:
    return request.param


@pytest.fixture
async def rig(through_socket):
    async with open_session(through_socket=through_socket) as rig:
        yield rig


async def test_door_repeats_what_was_opened_to_whoever_subscribes(rig):
    events = []

    rig.door.subscribe(events.append)

    assert events == rig.of_kind(Opened)
    assert (events[0].source, events[0].width_px, events[0].height_px, events[0].fps) == ("callback", 320, 180, 60)
    assert "vp8 by software because" in events[0].encoder


async def test_viewer_that_joins_gets_an_offer(rig):
    await rig.join("ann")

    assert rig.said_to("ann") == [Offer(generation=1, sdp="an offer of vp8")]


async def test_viewer_is_passed_on_to_its_peer_in_order(rig):
    peer = await rig.join("ann")
    rig.door.submit(Said("ann", Candidate(1, "early", "0", 0)))
    await rig.answer("ann")
    rig.door.submit(Said("ann", Candidate(1, "late", "0", 0)))
    rig.door.submit(Said("ann", EndOfCandidates(1)))

    await until(lambda: peer.applied == ["early", "vp8", "late", "end"])


async def test_viewer_that_connects_is_told_what_is_sent(rig):
    peer = await rig.connect("ann")

    stream = peer.heard(Stream)[-1]
    assert (stream.codec, stream.width_px, stream.height_px) == ("vp8", 320, 180)
    assert holder(peer) == [True]


async def test_what_is_said_about_an_earlier_peer_is_ignored(rig):
    await rig.join("ann")
    peer = await rig.join("ann")

    rig.door.submit(Said("ann", Answer(generation=1, sdp=MALFORMED)))
    await rig.answer("ann")
    await until(lambda: peer.codec)

    assert rig.said_to("ann")[-1] == Offer(generation=2, sdp="an offer of vp8")


async def test_what_a_stranger_says_is_ignored(rig):
    rig.door.submit(Said("eve", Answer(generation=1, sdp="vp8")))
    rig.door.submit(Leave("eve", ByeCode.LEFT, "gone"))

    await rig.connect("ann")

    assert rig.said_to("eve") == []


@pytest.mark.parametrize(
    ("sdp", "code"), [(MALFORMED, ByeCode.PROTOCOL_ERROR), (REFUSES_VIDEO, ByeCode.NO_COMMON_CODEC)]
)
async def test_answer_that_cannot_be_used_closes_that_viewer_alone(rig, sdp, code):
    good = await rig.connect("ann")
    bad = await rig.join("bob")

    await rig.answer("bob", sdp)
    (bye,) = await rig.byes("bob")
    await until(lambda: bad.is_closed)

    assert (bye.code, bye.retry) == (code, False)
    assert not good.is_closed
    assert len(rig.said_to("ann")) == 1


async def test_second_answer_closes_that_viewer(rig):
    await rig.join("ann")
    await rig.answer("ann")
    await rig.answer("ann")

    (bye,) = await rig.byes("ann")

    assert bye.code is ByeCode.PROTOCOL_ERROR


async def test_malformed_channel_bytes_close_that_viewer_alone(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")

    ann.observer.received(KEYS, b"\xff\xff\xff")
    (bye,) = await rig.byes("ann")
    await until(lambda: ann.is_closed)

    assert (bye.code, bye.retry) == (ByeCode.PROTOCOL_ERROR, False)
    assert not bob.is_closed
    assert holder(bob) == [True]


async def test_flood_of_signaling_closes_that_viewer(rig):
    await rig.join("ann")

    # More at once than the inbox holds: in one go, so that nothing is applied in between.
    for _ in range(2_000):
        rig.door.submit(Said("ann", Candidate(1, "again", "0", 0)))
    (bye,) = await rig.byes("ann")

    assert bye.code is ByeCode.RATE_LIMITED


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (CONTROL, control.serialize(control.Ping(1))),
        (KEYS, serialize(Held(1, 0, ()))),
        (MOTION, serialize(Pointer(1, 2, 3))),
    ],
    ids=[CONTROL, KEYS, MOTION],
)
async def test_flood_of_a_channel_closes_that_viewer_alone(rig, label, message):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")

    for _ in range(10_000):
        ann.observer.received(label, message)
    (bye,) = await rig.byes("ann")
    await until(lambda: ann.is_closed)

    assert (bye.code, bye.retry) == (ByeCode.RATE_LIMITED, False)
    assert f"messages a second on the channel {label!r}" in bye.reason
    assert not bob.is_closed
    assert holder(bob) == [True]


async def test_viewer_beyond_the_places_is_told_to_try_again(through_socket):
    async with open_session(through_socket=through_socket, session={"max_viewers": 1}) as rig:
        await rig.connect("ann")

        rig.door.submit(Join("bob"))
        (bye,) = await rig.byes("bob")

        assert (bye.code, bye.retry) == (ByeCode.SESSION_FULL, True)
        assert len(rig.peers.made) == 1


async def test_seat_passes_on_when_its_holder_leaves(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    before = holder(ann, bob)

    rig.door.submit(Leave("ann", ByeCode.LEFT, "the page was closed"))
    await until(lambda: ann.is_closed)

    assert before == [True, False]
    assert holder(bob) == [True]


async def test_viewer_that_returns_in_time_keeps_its_seat(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    rig.door.submit(Leave("ann", ByeCode.LEFT, "its connection was lost", may_return=True))
    await until(lambda: ann.is_closed)
    rig.clock.step(9_000_000)

    again = await rig.connect("ann")
    rig.clock.step(100_000_000)

    assert holder(again, bob) == [True, False]
    assert rig.said_to("ann")[-1].generation == 2


async def test_viewer_that_does_not_return_in_time_loses_its_seat(rig):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")
    rig.door.submit(Leave("ann", ByeCode.LEFT, "its connection was lost", may_return=True))
    await until(lambda: ann.is_closed)

    rig.clock.step(61_000_000)

    assert holder(bob) == [True]


async def test_viewer_that_comes_back_while_it_is_in_replaces_itself(rig):
    before = await rig.connect("ann")

    after = await rig.connect("ann")
    await until(lambda: before.is_closed)
    before.observer.failed("peer_failed", "it was replaced")

    assert not after.is_closed
    assert holder(after) == [True]
    assert all(isinstance(message, Offer) for message in rig.said_to("ann"))


@pytest.mark.parametrize(
    ("code", "retry"), [("peer_failed", True), ("protocol_error", False), ("a code of some other time", True)]
)
async def test_viewer_whose_peer_fails_is_told_so(rig, code, retry):
    ann, bob = await rig.connect("ann"), await rig.connect("bob")

    ann.observer.failed(code, "no network path")
    (bye,) = await rig.byes("ann")
    await until(lambda: ann.is_closed)

    assert bye == Bye("no network path", ByeCode.PROTOCOL_ERROR if not retry else ByeCode.PEER_FAILED, retry=retry)
    assert holder(bob) == [not retry]


async def test_leave_after_a_bye_does_no_harm(rig):
    ann = await rig.connect("ann")
    ann.observer.failed("peer_failed", "no network path")
    await rig.byes("ann")

    rig.door.submit(Leave("ann", ByeCode.LEFT, "the socket has closed", may_return=True))
    again = await rig.connect("ann")

    assert holder(again) == [True]


async def test_keys_are_released_when_a_peer_fails(rig):
    ann = await rig.connect("ann")
    source = rig.session._studio._devices.source
    actions = []
    source.on_input(actions.append)
    ann.observer.received(KEYS, serialize(Key(1, "KeyA", is_down=True)))

    ann.observer.failed("peer_failed", "no network path")
    await rig.byes("ann")

    assert [action.is_down for action in actions] == [True, False]


async def test_stop_says_goodbye_to_everybody_and_ends(rig):
    peers = [await rig.connect("ann"), await rig.join("bob")]

    rig.door.submit(Stop("the lights go out"))
    await until(lambda: rig.of_kind(Ended))

    bye = Bye("the lights go out", ByeCode.SERVER_STOPPING, retry=True)
    assert [rig.said_to(name)[-1] for name in ("ann", "bob")] == [bye, bye]
    assert rig.events[-1] == Ended("the lights go out", is_failure=False)
    assert all(peer.is_closed for peer in peers)


async def test_source_that_fails_ends_the_session(rig):
    await rig.connect("ann")

    rig.session.source_ended("the display is gone")
    await until(lambda: rig.of_kind(Ended))

    assert rig.said_to("ann")[-1] == Bye("the display is gone", ByeCode.SESSION_ENDED, retry=False)
    assert rig.events[-1] == Ended("the display is gone", is_failure=True)


async def test_commands_after_the_end_are_ignored(rig):
    rig.door.submit(Stop("the lights go out"))
    await until(lambda: rig.of_kind(Ended))
    count = len(rig.events)
    late = []

    rig.door.submit(Join("ann"))
    rig.door.submit(Stop("again"))
    rig.door.subscribe(late.append)
    await rig.session.close()

    assert rig.events[count:] == late == []
