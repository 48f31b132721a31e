"""Live runs that never happened: a link that is used up, frames of a steady age, and what the page counted."""

from streamer.bench.machine import Load
from streamer.bench.network.capacity import step_at
from streamer.bench.network.link import Fate
from streamer.bench.network.live.measurement import SIZE, Measurement
from streamer.bench.network.live.packet_log import DOWN, Packet, PacketLog
from streamer.bench.network.live.viewer import Observation
from streamer.bench.stamps import Seen

BEGAN_US = 5_000_000
BEGAN_MS = BEGAN_US // 1_000
AGE_MS = 45.0
_PACKET_BYTES = 5_000
_INBOUND = {"keyFramesDecoded": 2, "nackCount": 3, "pliCount": 0}


def packets_of(scenario):
    """Return packets that use the link up at each moment, but for its outages, and wait 10 ms each."""
    steps = scenario.steps or ((0, 8_000_000),)
    packets, at_us = [], 0
    while at_us < scenario.seconds * 1_000_000:
        fate = Fate.LOST if any(low <= at_us < high for low, high in scenario.down.outages) else Fate.CARRIED
        departed_us = BEGAN_US + at_us + 10_000 if fate is Fate.CARRIED else None
        packets.append(Packet(DOWN, BEGAN_US + at_us, departed_us, departed_us, departed_us, _PACKET_BYTES, fate, True))
        at_us += _PACKET_BYTES * 8 * 1_000_000 // step_at(steps, at_us)
    return packets


def frames_of(scenario, presses_ms=()):
    """Return frames of 50 per second, each showing the presses before it was drawn."""
    frames = []
    for number, offset_ms in enumerate(range(0, round(scenario.seconds * 1_000), 20)):
        drawn_ms = float(BEGAN_MS + offset_ms)
        frames.append(Seen(number, sum(at_ms <= drawn_ms for at_ms in presses_ms) % 256, drawn_ms, drawn_ms + AGE_MS))
    return frames


def measured(scenario, presses_ms=(), **observed):
    frames = frames_of(scenario, presses_ms)
    seen = {
        "decoded": frames,
        "presented": frames,
        "targets": [(BEGAN_MS + 1_000.0, 3_000_000)],
        "reconnections": 0,
        **observed,
    }
    observation = Observation(presses_ms=list(presses_ms), sizes=[(float(BEGAN_MS), SIZE)], inbound=_INBOUND, **seen)
    log = PacketLog(BEGAN_US, packets_of(scenario), [])
    return Measurement(scenario, log, observation, Load(1.0, {}, 0.5, 0.0), "a server", "a browser")
