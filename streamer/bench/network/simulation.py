"""Run one scenario in simulated time: the product's own congestion control over a modelled network.

Everything random comes from the seed, each part from a generator of its own, so that the same seed makes the same run
and a change in one part leaves the chances of the others as they are.
"""

import random

from streamer.bench.network.cross_traffic import CubicFlow, CubicReceiver
from streamer.bench.network.events import Events
from streamer.bench.network.link import Link
from streamer.bench.network.receiver import Receiver
from streamer.bench.network.recording import CrossRecord, Recording, StreamRecord
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream
from streamer.bench.network.sender import Sender, SenderSettings
from streamer.bench.network.wire import Wire
from streamer.congestion.estimator import make_estimator
from streamer.congestion.flow import EstimatorFactory


def simulate(scenario: Scenario, seed: int, estimator: EstimatorFactory = make_estimator) -> Recording:
    """Run a scenario from its beginning to its end and return what happened."""
    simulation = Simulation(scenario, seed, estimator)
    simulation.events.run_until(scenario.duration_us)
    return simulation.recording


class Simulation:
    """The network of one scenario and everything that is connected to it."""

    def __init__(self, scenario: Scenario, seed: int, estimator: EstimatorFactory) -> None:
        self.events = Events()
        self.recording = Recording(scenario.duration_us)
        self._seed = seed
        self._estimator = estimator
        self._forward = Wire(self.events, Link(scenario.forward, self._rng("forward link")), self.recording.forward)
        self._backward = Wire(self.events, Link(scenario.backward, self._rng("backward link")), self.recording.backward)
        for stream in scenario.streams:
            self._add_stream(stream)
        for cross in scenario.cross:
            self._add_cross(cross)

    def _rng(self, part: str) -> random.Random:
        return random.Random(f"{self._seed} {part}")

    def _add_stream(self, stream: Stream) -> None:
        record = StreamRecord(stream.name, stream.starts_at_us, stream.fps)
        self.recording.streams.append(record)
        self.events.at(stream.starts_at_us, lambda: self._start_stream(stream, record))

    def _start_stream(self, stream: Stream, record: StreamRecord) -> None:
        out, back = (self._backward, self._forward) if stream.is_backward else (self._forward, self._backward)
        extra_us = stream.extra_delay_us
        receiver = Receiver(
            self.events,
            stream.clock,
            lambda message, size_bytes: back.send(size_bytes, sender.received, message, extra_us),
            lambda: out.delay_us() + back.delay_us() + 2 * extra_us,
            record,
            self._rng(f"{stream.name} receiver"),
        )
        sender = Sender(
            self.events,
            SenderSettings(stream.limits, stream.fps, stream.content, stream.timer_late_us, self._estimator),
            lambda content, size_bytes: out.send(size_bytes, receiver.received, content, extra_us),
            record,
            self._rng(stream.name),
        )
        for from_us, to_us in stream.pauses:
            self.events.at(from_us, sender.rendition.pause)
            self.events.at(to_us, sender.rendition.resume)
        sender.start()

    def _add_cross(self, cross: CrossTraffic) -> None:
        record = CrossRecord(cross.name)
        self.recording.cross.append(record)
        receiver = CubicReceiver(
            lambda number, size_bytes: self._backward.send(size_bytes, flow.acknowledged, number), record
        )
        flow = CubicFlow(
            self.events,
            cross.transfers,
            lambda number, size_bytes: self._forward.send(size_bytes, receiver.received, number),
            self._rng(cross.name),
        )
        self.events.at(cross.starts_at_us, flow.start)
