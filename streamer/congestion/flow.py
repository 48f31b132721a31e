"""One sender's side of one transport: what leaves when, how much the path carries, and what to ask of the encoder.

The one object that the transport and the simulator drive. Owns the pacer, the packets under way and the estimator. It
does no I/O and reads no clock: whoever drives it hands in the time and calls again at `next_wake_us`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count, repeat
from typing import Any, Generic

from streamer.congestion.allocator import Allocator, Allowance
from streamer.congestion.decision import Decision, RateLimits, Reason
from streamer.congestion.estimator import Estimator, make_estimator
from streamer.congestion.in_flight import InFlight, Sent
from streamer.congestion.ladder import Decoding, Prefer
from streamer.congestion.pacer import Pacer, PacketT, Priority
from streamer.congestion.silence import MIN_US
from streamer.media.units import BITS_PER_BYTE_US

EstimatorFactory = Callable[..., Estimator]

# How long a cluster waits for a frame to travel with before it goes alone.
_PROBE_PATIENCE_US = 20_000
# Padding leaves in steps of as much as the pacer's bursts.
_PROBE_STEP_US = 2_000
# Until a report has come: the round trip of another continent.
_UNKNOWN_RTT_US = 200_000
# Chromium reports every 50 ms from 220 kbit/s on. What a timer adds must not make a second copy of everything.
_REPORT_US = 52_000
_MIN_CONFIRMATION_US = 80_000
# While nothing may leave, a packet this often, 400 kbit/s: the first one that gets through tells that the rest may, and
# what it waits for the next turn is added to the length of every outage.
_KNOCK_US = 25_000
# A frame that leaves at once. What is more than that has had packets behind it to show what is missing.
_TAIL_PACKETS = 16
# Tails in a row of which no report tells anything are sent into nothing; two can be lost on a path that works.
_MAX_SILENT_TAILS = 3


@dataclass(frozen=True, slots=True)
class Lost(Generic[PacketT]):
    """A copy of a packet that did not arrive, and when it had left."""

    packet: PacketT
    sent_at_us: int


class Flow(Generic[PacketT]):
    """Everything that decides about one transport's packets. Called from the event loop only."""

    def __init__(
        self,
        limits: RateLimits,
        *,
        fps: float,
        has_feedback: bool,
        now_us: int,
        prefer: Prefer = Prefer.FPS,
        estimator: EstimatorFactory = make_estimator,
    ) -> None:
        self._has_feedback = has_feedback
        self._estimator = estimator(limits, fps=fps, has_feedback=has_feedback, now_us=now_us)
        self._allocator = Allocator(limits, fps=fps, prefer=prefer, now_us=now_us)
        self._pacer: Pacer[PacketT] = Pacer(self._estimator.decision.pacing_bps)
        self._in_flight = InFlight()
        # The cluster that is out, since when, and what of it has left.
        self._cluster: int | None = None
        self._cluster_at_us = now_us
        self._cluster_bytes = 0
        # When to ask for padding next; None while nothing has left since it was asked for.
        self._padding_at_us: int | None = now_us
        self._sent_at_us = now_us
        # When the packets that left last should have been confirmed, and when they left.
        self._tail_at_us: int | None = None
        self._tail_sent_at_us = now_us
        # How many have been taken for lost since a report came.
        self._silent_tails = 0
        self._overdue: list[Lost[PacketT]] = []
        self.decision: Decision = self._estimator.decision
        self._adopt(self.decision, now_us)

    def enqueue(self, packets: Sequence[PacketT], priority: Priority, now_us: int) -> None:
        """Take packets of one priority, in order: a whole frame at a time."""
        self._pacer.enqueue(packets, priority, now_us)

    def release(self, now_us: int) -> list[PacketT]:
        """Return the packets whose turn has come, in the order in which they shall leave."""
        if not self._is_shut():
            return self._pacer.release(now_us, self._room_bytes())
        audio = self._pacer.release(now_us, 0)
        return audio + self._pacer.release_one(now_us) if now_us >= self._sent_at_us + _KNOCK_US else audio

    @property
    def waiting_bytes(self) -> int:
        """How much waits to leave, besides audio."""
        return self._pacer.backlog_bytes

    def clear(self) -> None:
        """Drop what waits."""
        self._pacer = Pacer(self._pacer.pacing_bps)

    def padding_due_bytes(self, now_us: int) -> int:
        """Return how much an active probe wants to be sent beyond what was released."""
        probe = self.decision.probe
        if probe is None or self._pacer.backlog_packets or self._cluster_left_bytes() <= 0 or self._is_shut():
            return 0
        if not self._cluster_bytes:
            if now_us < self._cluster_at_us + _PROBE_PATIENCE_US:
                return 0
            self._cluster_at_us = now_us
        # Whoever makes none, because there is nothing to resend yet or no RTX, is asked again when a packet has left.
        self._padding_at_us = None
        due_bytes = probe.rate_bps * (now_us - self._cluster_at_us + _PROBE_STEP_US) // BITS_PER_BYTE_US
        return max(0, min(due_bytes - self._cluster_bytes, self._cluster_left_bytes()))

    def next_wake_us(self) -> int | None:
        """Return when to call `tick` and `release` again, or None while nothing waits."""
        wakes = [self._estimator.next_tick_us(), self._probe_wake_us(), self._tail_at_us]
        if not self._is_shut():
            wakes.append(self._pacer.next_wake_us())
        elif self._pacer.backlog_packets:
            wakes.append(self._sent_at_us + _KNOCK_US)
        return min([at_us for at_us in wakes if at_us is not None], default=None)

    def sent(
        self,
        first_index: int,
        sizes_bytes: Sequence[int],
        now_us: int,
        priority: Priority,
        packets: Sequence[PacketT] | None = None,
    ) -> None:
        """Note packets of one priority that left together.

        They have transport-wide indices from `first_index` on and sizes on the wire; and are named where their loss
        matters.
        """
        self._allocator.sent(len(sizes_bytes), sum(sizes_bytes), priority)
        self._sent_at_us = now_us
        if self._padding_at_us is None:
            self._padding_at_us = now_us + _PROBE_STEP_US
        records = [
            Sent(index, size_bytes, now_us, priority, None, packet)
            for index, size_bytes, packet in zip(count(first_index), sizes_bytes, packets or repeat(None))
        ]
        if not self._has_feedback:
            self._estimator.packets_sent(records)
            return
        if self._cluster_left_bytes() > 0 and priority is not Priority.AUDIO:
            self._join_cluster(records, now_us)
        self._in_flight.add(records)
        self._estimator.packets_sent(records)
        if packets is not None and self._silent_tails < _MAX_SILENT_TAILS:
            self._tail_at_us, self._tail_sent_at_us = now_us + self._confirmation_us(), now_us

    def feedback(self, arrivals: Sequence[tuple[int, int | None]], now_us: int) -> list[Lost[PacketT]]:
        """Take in a transport-wide feedback, unwrapped; return the copies that it calls missing."""
        report = self._in_flight.report(arrivals)
        self._silent_tails = 0
        self._adopt(self._estimator.feedback_received(report, self._in_flight.size_bytes, now_us), now_us)
        return _contents(report.lost)

    def overdue(self) -> list[Lost[PacketT]]:
        """Return the last packets that left if the last `tick` took them for lost.

        What follows a packet shows that it is missing; nothing follows the last one of a screen that is still again.
        """
        overdue, self._overdue = self._overdue, []
        return overdue

    def report(self, *, loss_ratio: float, rtt_us: int | None, now_us: int) -> None:
        """Take in an RTCP receiver report."""
        self._adopt(self._estimator.report_received(loss_ratio, rtt_us, now_us), now_us)

    def remb(self, estimate_bps: int, now_us: int) -> None:
        """Take in the receiver's own estimate, from viewers without transport-wide feedback."""
        self._adopt(self._estimator.remb_received(estimate_bps, now_us), now_us)

    def tick(self, now_us: int) -> None:
        """Let time pass; to be called at `next_wake_us`."""
        if self._tail_at_us is not None and now_us >= self._tail_at_us:
            self._tail_at_us = None
            tail = self._in_flight.overdue(self._tail_sent_at_us, _TAIL_PACKETS)
            self._overdue = _contents(tail)
            self._silent_tails += bool(self._overdue)
        before = self.decision
        self._adopt(self._estimator.tick(now_us), now_us)
        if before.reason is not self.decision.reason or before.estimate_bps != self.decision.estimate_bps:
            self._in_flight.expire(now_us - MIN_US)

    def backlog_us(self, now_us: int) -> int:
        """Return how long it takes until the frames that wait have left."""
        backlog_us = self._pacer.backlog_us(now_us)
        room_bytes = self._room_bytes()
        # While all is silent nothing tells that what is under way has gone, and a frame is wanted to knock with.
        is_knocking = self.decision.reason is Reason.SILENCE and not self._pacer.frame_bytes
        if room_bytes is None or is_knocking:
            return backlog_us
        excess_bytes = self._pacer.frame_bytes - room_bytes
        return max(backlog_us, excess_bytes * BITS_PER_BYTE_US // self.decision.estimate_bps)

    def describe(self, width_px: int, height_px: int) -> None:
        """Take note of how large the source's pictures are, by which the allocator judges what they need."""
        self._allocator.describe(width_px * height_px)

    def decodes(self, decoding: Decoding, now_us: int) -> None:
        """Take note of how the viewer says its decoder fares."""
        self._allocator.decodes(decoding, now_us)

    def wish_rate(self, now_us: int) -> Allowance:
        """Return what the next frame may be like."""
        return self._allocator.allowance(self.decision, self.backlog_us(now_us))

    def _join_cluster(self, records: Sequence[Sent], now_us: int) -> None:
        """Count what left to the probe that is out, as far as that goes."""
        if not self._cluster_bytes:
            self._cluster_at_us = now_us
        for record in records:
            if self._cluster_left_bytes() <= 0:
                break
            record.cluster = self._cluster
            self._cluster_bytes += record.size_bytes

    def _confirmation_us(self) -> int:
        return max((self.decision.rtt_us or _UNKNOWN_RTT_US) + _REPORT_US, _MIN_CONFIRMATION_US)

    def _is_shut(self) -> bool:
        """Return whether so much is under way that nothing more may leave."""
        room_bytes = self._room_bytes()
        return room_bytes is not None and room_bytes <= 0

    def _room_bytes(self) -> int | None:
        """Return how much more may be under way, or None without a limit."""
        cap_bytes = self.decision.in_flight_cap_bytes
        return None if cap_bytes is None else cap_bytes - self._in_flight.size_bytes

    def _cluster_left_bytes(self) -> int:
        probe = self.decision.probe
        return 0 if probe is None else probe.size_bytes - self._cluster_bytes

    def _probe_wake_us(self) -> int | None:
        """Return when padding may be due."""
        if self._padding_at_us is None or self._cluster_left_bytes() <= 0:
            return None
        if self._pacer.backlog_packets or self._is_shut():
            return None
        return max(self._padding_at_us, 0 if self._cluster_bytes else self._cluster_at_us + _PROBE_PATIENCE_US)

    def _adopt(self, decision: Decision, now_us: int) -> None:
        probe = decision.probe
        if probe is not None and probe.number != self._cluster:
            self._cluster, self._cluster_at_us, self._cluster_bytes = probe.number, decision.at_us, 0
        self.decision = replace(decision, target_bps=self._allocator.update(decision))
        probe_bps = probe.rate_bps if probe is not None and self._cluster_left_bytes() > 0 else 0
        self._pacer.set_pacing(max(decision.pacing_bps, probe_bps), now_us)


def _contents(records: Sequence[Sent]) -> list[Lost[Any]]:
    return [Lost(record.content, record.sent_at_us) for record in records if record.content is not None]
