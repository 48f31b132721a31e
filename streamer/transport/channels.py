"""The named data channels of a peer: which there are, how much may wait in one, how long a message may be.

Owns back-pressure and the limits on what arrives. What messages mean is `protocol/`'s. RFC 8831.
"""

import functools
from typing import Protocol

from aiortc import RTCDataChannel, RTCPeerConnection

from streamer.transport.base import CONTROL, KEYS, MOTION
from streamer.transport.sdp import MAX_MESSAGE_BYTES

# More than a second of control messages; SCTP holds back what the path does not take, and memory is ours.
MAX_BUFFERED_BYTES = 256 * 1024


class ChannelObserver(Protocol):
    """Who is told what happens on the channels: the peer."""

    def channel_opened(self, label: str) -> None: ...

    def channel_closed(self, label: str) -> None: ...

    def received(self, label: str, message: str | bytes) -> None: ...

    def violated(self, reason: str) -> None:
        """Note that the viewer has broken a rule: the peer has to end."""


class Channels:
    """The three channels of streamer/protocol/README.md, opened before the offer. Used on the event loop only."""

    def __init__(self, connection: RTCPeerConnection, observer: ChannelObserver) -> None:
        self._channels = {
            CONTROL: connection.createDataChannel(CONTROL),
            KEYS: connection.createDataChannel(KEYS),
            MOTION: connection.createDataChannel(MOTION, ordered=False, maxRetransmits=0),
        }
        # The observer is held by the listeners alone: it goes with them.
        for label, channel in self._channels.items():
            channel.on("open", functools.partial(observer.channel_opened, label))
            channel.on("close", functools.partial(observer.channel_closed, label))
            channel.on("message", functools.partial(_receive, observer, label))
        connection.on("datachannel", functools.partial(_refuse, observer))

    def send(self, label: str, message: str | bytes) -> bool:
        """Send a message; return False when the channel is not open or too much waits in it already."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > MAX_BUFFERED_BYTES:
            return False
        # A channel outlives its transport by a moment when the other side goes away.
        if channel.transport.transport.state != "connected":
            return False
        channel.send(message)
        return True

    def release(self) -> None:
        """Stop listening: a channel that never opened would keep its listeners."""
        for channel in self._channels.values():
            channel.remove_all_listeners()


def _receive(observer: ChannelObserver, label: str, message: str | bytes) -> None:
    size_bytes = len(message) if isinstance(message, bytes) else len(message.encode())
    if size_bytes > MAX_MESSAGE_BYTES:
        observer.violated(f"a message of {size_bytes} bytes on channel {label!r}")
    else:
        observer.received(label, message)


def _refuse(observer: ChannelObserver, channel: RTCDataChannel) -> None:
    observer.violated(f"a data channel {channel.label[:80]!r} that was not offered")
