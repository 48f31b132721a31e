import asyncio

import pytest

from streamer.transport.base import CONTROL, KEYS, MOTION
from streamer.transport.channels import MAX_BUFFERED_BYTES
from streamer.transport.sdp import MAX_MESSAGE_BYTES
from tests.loopback.viewer import until


@pytest.mark.parametrize("message", ["text", "", b"\x01\x02", b""])
@pytest.mark.parametrize("label", [CONTROL, KEYS, MOTION])
async def test_messages_cross_in_both_directions(joined, observer, label, message):
    peer, viewer = joined

    assert peer.send(label, message)
    viewer.channels[label].send(message)

    await until(lambda: bool(viewer.messages and observer.messages))
    assert viewer.messages == observer.messages == [(label, message)]


async def test_channels_have_the_reliability_of_the_protocol(joined):
    _, viewer = joined

    traits = {label: (c.ordered, c.maxRetransmits) for label, c in viewer.channels.items()}

    assert traits == {CONTROL: (True, None), KEYS: (True, None), MOTION: (False, 0)}


async def test_sending_is_refused_before_the_channel_is_open(peer):
    assert not peer.send(CONTROL, "early")


async def test_sending_is_refused_when_too_much_waits(joined):
    peer, viewer = joined
    message = bytes(MAX_MESSAGE_BYTES)
    sent = 0
    while peer.send(CONTROL, message):
        sent += 1

    assert MAX_BUFFERED_BYTES <= sent * MAX_MESSAGE_BYTES <= MAX_BUFFERED_BYTES + 2 * MAX_MESSAGE_BYTES
    await until(lambda: len(viewer.messages) == sent)
    assert peer.send(CONTROL, "again")


async def test_message_that_is_too_long_ends_the_peer(joined, observer):
    _, viewer = joined

    # The browser keeps to the size in the offer; this one does not.
    viewer.connection.sctp._remote_max_message_size = 1 << 20
    viewer.channels[CONTROL].send(bytes(MAX_MESSAGE_BYTES + 1))

    await until(lambda: bool(observer.failures))
    assert observer.failures == [("protocol_error", f"a message of {MAX_MESSAGE_BYTES + 1} bytes on channel 'control'")]
    assert observer.messages == []


async def test_channel_that_was_not_offered_ends_the_peer(joined, observer):
    _, viewer = joined

    viewer.connection.createDataChannel("extra")

    await until(lambda: bool(observer.failures))
    assert observer.failures[0][0] == "protocol_error"


async def test_error_of_the_observer_does_not_end_the_connection(joined, observer):
    peer, viewer = joined
    broken, observer.received = observer.received, _raise
    errors = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    viewer.channels[KEYS].send(b"1")
    await until(lambda: bool(errors))
    loop.set_exception_handler(None)
    observer.received = broken

    viewer.channels[KEYS].send(b"2")

    await until(lambda: observer.messages == [(KEYS, b"2")])
    assert peer.send(CONTROL, "fine")


def _raise(label: str, message: str | bytes) -> None:
    raise RuntimeError(f"{label} {message!r}")
