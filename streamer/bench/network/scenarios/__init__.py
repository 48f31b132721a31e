"""The scenarios of the simulator, with what each must reach.

S: the product's own bar. R: RFC 8867. C: links like those of cellular networks and wireless LANs. V: variations, the
same things at other rates, delays and queues. Unless one says otherwise: 60 fps, 20 ms each way, a queue of 200 ms,
start at 3 Mbit/s.
"""

from streamer.bench.network.scenarios import own, radio, rfc8867, variations

SCENARIOS = {
    scenario.name: scenario
    for scenario in (*own.SCENARIOS, *rfc8867.SCENARIOS, *radio.SCENARIOS, *variations.SCENARIOS)
}
