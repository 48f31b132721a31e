"""From what a viewer saw to the figures of one stream. Pure."""

from dataclasses import dataclass

from streamer.bench.quantiles import summarize
from streamer.bench.report import Result
from streamer.bench.sight import Sight
from streamer.bench.stamps import Seen, missing_frames, photon_delays_ms, seen_frames, stages_ms
from streamer.media.frame import Resolution

_INPUT_PERIOD = 256
# At 720p a stream below this rate has a content that is too easy for the encoder to be at work.
_MIN_MBPS_720P = 6.0
_PIXELS_720P = 1280 * 720


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one stream, and the frames that they come from."""

    values: Result
    decoded: list[Seen]
    presented: list[Seen]

    @property
    def p50_ms(self) -> float | None:
        """The median age on the screen; of decoded frames where there is no screen."""
        summary = self.values["on_screen_ms"] if self.presented else self.values["decoded_ms"]
        median_ms: float | None = summary["p50"]
        return median_ms


def figures_of(sight: Sight, *, loop_frames: int | None = None) -> Figures:
    """Return the figures. `loop_frames` is the length of a stream that was encoded beforehand."""
    is_live = loop_frames is None
    decoded = seen_frames(sight.decoded, sight.offset_ms, sight.rtp_clock, is_stamp_dated=is_live)
    presented = seen_frames(sight.presented, sight.offset_ms, sight.rtp_clock, is_stamp_dated=is_live)
    jitter_buffer_s = sight.mean("jitterBufferDelay", "jitterBufferEmittedCount")
    values: Result = {
        "fps": round(len(decoded) / sight.seconds, 1),
        "frames_dropped": missing_frames(decoded, loop_frames),
        "frames_unreadable": sight.unreadable,
        "mbps": round(sight.per_second("bytesReceived") * 8 / 1e6, 2),
        "jitter_buffer_ms": None if jitter_buffer_s is None else round(jitter_buffer_s * 1000, 2),
        "decoded_ms": summarize(frame.age_ms for frame in decoded),
        "on_screen_ms": summarize(frame.age_ms for frame in presented),
        "stages_ms": stages_ms(presented or decoded, sight.stages),
    }
    return Figures(values, decoded, presented)


def click_delays_ms(sight: Sight, *, counts_presses: bool) -> list[float]:
    """Return how long each click took to show. With `counts_presses` the stamps count presses from the first one on."""
    frames = seen_frames(sight.presented, sight.offset_ms)
    buttons = sight.buttons
    if counts_presses:
        buttons = [[(count + 1) % _INPUT_PERIOD, at_ms] for count, (_, at_ms) in enumerate(buttons)]
    return photon_delays_ms(buttons, frames, sight.offset_ms)


def why_too_easy(values: Result, size: Resolution, target_bps: int) -> list[str]:
    """Return why a stream was no work for the encoder, if it was none."""
    least_mbps = min(_MIN_MBPS_720P * size.pixels / _PIXELS_720P, target_bps * 2 / 3 / 1e6)
    if values["mbps"] >= least_mbps:
        return []
    return [f"the content needed only {values['mbps']} Mbit/s, less than {least_mbps:.1f}"]
