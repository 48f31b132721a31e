"""The errors of this project, all of one tree.

::

    StreamerError
    ├── ConfigError              the user asked for something that cannot be: exit status 2
    ├── DeviceError              a backend failed; names the backend and the reason
    │   ├── SourceError
    │   ├── ConverterError
    │   ├── EncoderError
    │   │   └── UnfitError       these pictures are nothing for this encoder: their fault, not the device's
    │   ├── InputError
    │   ├── AudioError
    │   ├── DesktopError
    │   ├── TransportError
    │   └── Unavailable          a backend cannot run here; the next in the preference list is tried
    ├── ProtocolError
    │   ├── LocalProtocolError   we asked for something illegal: a bug of ours
    │   └── RemoteProtocolError  they did: close that viewer, keep the others
    └── SessionError
        ├── AuthError
        ├── CapacityError
        └── Closed               the session or viewer is gone; says why

Messages are lower-case fragments that quote the offending value.
"""


class StreamerError(Exception):
    """The root of the tree; the command line prints it as one line."""


class ConfigError(StreamerError):
    """Name the key or option, the value it has, and the values it accepts."""


class DeviceError(StreamerError):
    """A backend failed. `backend` is its registered name, `reason` a lower-case fragment."""

    def __init__(self, backend: str, reason: str) -> None:
        super().__init__(f"{backend}: {reason}")
        self.backend = backend
        self.reason = reason


class SourceError(DeviceError):
    """A source cannot produce frames any more."""


class ConverterError(DeviceError):
    """A converter cannot convert this surface."""


class EncoderError(DeviceError):
    """An encoder refused a frame or broke its contract."""


class UnfitError(EncoderError):
    """An encoder does not take pictures of this size, form or place: their fault, and no failure of its device."""


class InputError(DeviceError):
    """An input backend cannot apply events any more."""


class AudioError(DeviceError):
    """An audio backend failed."""


class DesktopError(DeviceError):
    """A private desktop did not start or has ended."""


class TransportError(DeviceError):
    """The network side of a peer failed."""


class Unavailable(DeviceError):  # noqa: N818 - it is a state of the machine, not a mistake
    """A backend cannot run here, for the reason that its `why_unavailable()` gives."""


class ProtocolError(StreamerError):
    """What was said does not follow the protocol."""


class LocalProtocolError(ProtocolError):
    """We asked for something that the protocol does not allow: a bug."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something that the protocol does not allow."""


class SessionError(StreamerError):
    """A session cannot do what was asked."""


class AuthError(SessionError):
    """The token is missing or wrong."""


class CapacityError(SessionError):
    """The session is full."""


class Closed(SessionError):  # noqa: N818 - it is a state, not a mistake
    """The session or the viewer has ended, because of `reason`; `is_failure` tells a breakdown from a wanted end."""

    def __init__(self, reason: str, *, is_failure: bool = False) -> None:
        super().__init__(f"closed because {reason}")
        self.reason = reason
        self.is_failure = is_failure
