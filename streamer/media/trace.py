"""When one frame passed each stage, in the order in which frames pass them.

Instants are microseconds of the server's monotonic clock. Arrive, decode and present are the viewer's and are joined by
whoever has mapped its clock to ours.
"""

from enum import IntEnum


class Stage(IntEnum):
    """The stages of a frame's way. `SEND` is the last datagram handed to the kernel."""

    CAPTURE = 0
    CONVERT = 1
    ENCODE = 2
    PACKETIZE = 3
    SEND = 4
    ARRIVE = 5
    DECODE = 6
    PRESENT = 7


_STAGES = len(Stage)


class FrameTrace:
    """One instant per stage: the end of that stage, except `CAPTURE`, which is the moment the picture was taken.

    Written by one thread at a time, in stage order, along the frame's way; a stage may stay unset.
    """

    __slots__ = ("_at_us",)

    def __init__(self) -> None:
        self._at_us: list[int | None] = [None] * _STAGES

    def stamp(self, stage: Stage, at_us: int) -> None:
        """Record that `stage` ended at `at_us`."""
        self._at_us[stage] = at_us

    def branch(self) -> "FrameTrace":
        """Return a trace with the same past and a future of its own, for one of several ways on."""
        branch = FrameTrace()
        branch._at_us = self._at_us.copy()
        return branch

    def at_us(self, stage: Stage) -> int | None:
        """Return when `stage` ended, or None if the frame has not passed it."""
        return self._at_us[stage]

    def durations_us(self) -> dict[str, int]:
        """Return how long each stage after capture took, by its lower-case name; the values add up to the whole.

        A stage that was not stamped takes no time of its own: its share counts for the next stamped one.
        """
        durations: dict[str, int] = {}
        last_us = self._at_us[Stage.CAPTURE]
        if last_us is None:
            return durations
        for stage in list(Stage)[1:]:
            at_us = self._at_us[stage]
            if at_us is not None:
                durations[stage.name.lower()] = at_us - last_us
                last_us = at_us
        return durations
