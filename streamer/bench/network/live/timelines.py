"""What a live run looks like over time, for the plot that simulated runs have, too. Pure."""

from streamer.bench.network.live.link_figures import STRIDE_US, Usage
from streamer.bench.network.live.measurement import Measurement
from streamer.bench.network.live.viewer_figures import fresh
from streamer.bench.network.timeline import Timeline, capacity_curve

_US_PER_S = 1_000_000
_US_PER_MS = 1_000
_MS_PER_S = 1_000


def timeline_of(measured: Measurement) -> Timeline:
    """Return the run as curves; time 0 is when the first media went into the link."""
    scenario, log, observation = measured.scenario, measured.log, measured.observation
    usage = Usage(log, scenario.capacity, round(scenario.seconds * _US_PER_S))
    began_us, began_ms = log.began_us, log.began_us / _US_PER_MS
    targets = [((at_ms - began_ms) / _MS_PER_S, float(bps)) for at_ms, bps in observation.targets]
    return Timeline(
        name=scenario.name,
        title=f"{scenario.name}: {scenario.title}",
        duration_s=scenario.seconds,
        capacity=capacity_curve(scenario.capacity, usage.duration_us),
        rates={"through the link": usage.left.curve(usage.duration_us, STRIDE_US), "target": targets},
        queue=[
            ((packet.entered_us - began_us) / _US_PER_S, packet.queue_us / _US_PER_MS)
            for packet in log.down
            if packet.queue_us is not None
        ],
        frames={
            "decoded": [((frame.drawn_ms - began_ms) / _MS_PER_S, frame.age_ms) for frame in fresh(observation.decoded)]
        },
        drops_s=[(packet.entered_us - began_us) / _US_PER_S for packet in log.down if packet.queue_us is None],
        events=[
            event
            for from_us, until_us in scenario.down.outages
            for event in ((from_us / _US_PER_S, "silence"), (until_us / _US_PER_S, "silence ends"))
        ],
    )
