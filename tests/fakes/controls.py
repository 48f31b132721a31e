"""What controls make of messages that arrive together."""

from streamer.protocol.actions import InputAction
from streamer.protocol.input import InputMessage
from streamer.session.controls import Controls


def take_all(controls: Controls, *messages: InputMessage) -> list[InputAction]:
    """Let `controls` take these messages, at one instant; return what is to be done."""
    return [action for message in messages for action in controls.take(message, 0)]
