"""The units that scenarios are written in, so that they read like the tables they come from."""

from streamer.bench.network.capacity import Steps

S = 1_000_000
MS = 1_000
MBPS = 1_000_000


def steps(*steps: tuple[float, float]) -> Steps:
    """Return a capacity of (s, Mbit/s)."""
    return Steps(tuple((round(at_s * S), round(mbps * MBPS)) for at_s, mbps in steps))
