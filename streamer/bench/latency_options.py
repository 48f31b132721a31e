"""What a latency measurement is asked for, and what cannot be asked for together."""

import sys
from dataclasses import dataclass

from streamer.errors import ConfigError
from streamer.media.frame import Resolution

CHROMIUM, PYTHON = "chromium", "python"
# Not 60: the phase against the screen's 60 Hz goes through all its values and averages out.
FPS = 59.7


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    """One call of the bench."""

    source: str
    size: Resolution
    seconds: float
    clicks: int
    target_bps: int
    viewer: str = CHROMIUM
    is_still: bool = False
    has_floor: bool = False
    silence_ms: int | None = None
    silences: int = 10

    def check(self) -> None:
        """Check that the parts go together.

        Raises:
            ConfigError: they do not.
        """
        if self.has_floor and (self.source != "pattern" or self.is_still):
            raise ConfigError("--floor compares with the pattern encoded beforehand: it goes with --source pattern")
        if self.viewer == PYTHON and (self.silence_ms is not None or self.is_still):
            raise ConfigError("--silence-ms and --still watch a screen: they go with --viewer chromium")

    @property
    def streamed_source(self) -> str:
        """The source that is streamed: standing still is what a screen does."""
        return "screen" if self.is_still else self.source

    def server_arguments(self) -> list[str]:
        """Return the arguments of `streamer serve` for the stamped source."""
        if self.streamed_source == "screen":
            program = f"{sys.executable} -m streamer.bench.stamped_client {FPS}" + (" --still" if self.is_still else "")
            return ["--app", program, *self._common()]
        stamped = ["--set", "sources.demo.has_stamp=true"] if self.source == "demo" else []
        return ["--source", self.source, "--fps", str(FPS), *stamped, *self._common()]

    def floor_arguments(self, clip: str) -> list[str]:
        """Return the arguments for the same stream from a file."""
        source = ["--source", "prepared", "--set", f"sources.prepared.path={clip}"]
        return [*source, "--fps", str(FPS), *self._common()]

    def _common(self) -> list[str]:
        target = str(self.target_bps)
        # The rate controller has nothing to look for on this machine, and finds its ceiling at once.
        rates = ["--start-target-bps", target, "--max-target-bps", target]
        return ["--size", str(self.size), *rates, "--log-level", "warning"]
