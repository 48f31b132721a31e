"""What a path carries, from what the receiver says of each packet: joins the measurements and the decisions on them.

Owns the order in which a report is looked at, and nothing that is measured or decided itself.
"""

from collections.abc import Sequence

from streamer.congestion.acked import Acked, Passage
from streamer.congestion.aimd import HIGH_US, LOW_US, Phase, RateControl
from streamer.congestion.application_limit import ApplicationLimit
from streamer.congestion.burst_rate import BurstRate
from streamer.congestion.decision import PACING_RATIO, Decision, RateLimits, Reason
from streamer.congestion.in_flight import Report, Sent
from streamer.congestion.loss import Loss
from streamer.congestion.probe import ABORT_QUEUE_US, ProbePlan, Prober
from streamer.congestion.queue_delay import QueueDelay
from streamer.congestion.round_trip import RoundTrip
from streamer.congestion.signals import Signals
from streamer.congestion.silence import Silence
from streamer.congestion.train_rate import ROUGH_ERROR_RATIO, TrainRate
from streamer.congestion.trains import Trains
from streamer.congestion.trendline import Trendline
from streamer.media.units import BITS_PER_BYTE_US

# What may be under way beyond what the path holds.
_SLACK_US = 10_000
_COMPETING_US = 50_000
# How long a busy period must last, and how many packets it must bring, to be a measurement; and how far back it counts.
_BUSY_SPAN_US = 15_000
_BUSY_PACKETS = 6
_BUSY_WINDOW_US = 150_000
# Both ends of it may be off by the jitter, and a seventh is as far off as what it says may be.
_BUSY_JITTERS = 10
# Of the time between two frames: one of usual size makes a queue of half of it, a keyframe one and a half.
_SLOW_QUEUE_RATIO = 1.5
_SLOW_PACKETS = 8
# The two clocks drift apart by a second in three hours, and a report waits for less than that. What is more than both
# is a clock that was set, or no clock at all.
_CLOCK_STEP_US = 2_000_000
# A change of the rate that is worth to be waited for until packets sent at it are reported.
_CHANGE_RATIO = 0.02
# Trains that pass no faster than this say that there is no more to be found.
_KNOWN_RATIO = 1.2
# The user's maximum this little above the rate is reached by growth as soon as by a probe.
_PROBE_GAIN_RATIO = 1.15


class PathEstimator:
    """The estimate of one path, from transport-wide feedback. Called from the event loop only."""

    def __init__(self, limits: RateLimits, *, fps: float, ceiling_bps: int, now_us: int) -> None:
        self._limits = limits
        self._interval_us = round(1_000_000 / fps)
        self._ceiling_bps = ceiling_bps
        self._rate = RateControl(
            limits.start_bps,
            floor_bps=limits.min_bps,
            ceiling_bps=ceiling_bps,
            frame_us=self._interval_us,
            now_us=now_us,
        )
        self._begin_measuring()
        # What the receiver's clock was ahead of ours when measuring began.
        self._clock_ahead_us: int | None = None
        self._loss = Loss(now_us)
        self._limit = ApplicationLimit(now_us)
        self._round_trip = RoundTrip()
        self._silence = Silence()
        self._prober = Prober()
        self._plan = ProbePlan(limits.start_bps, now_us)
        self._sent_bytes = 0
        self._newest_sent = -1
        self._changed_at_index = self._cut_at_index = 0
        self._begin_probe(now_us)
        self.decision = self._decide(now_us)

    def packets_sent(self, packets: Sequence[Sent]) -> None:
        self._sent_bytes += sum([packet.size_bytes for packet in packets])
        self._newest_sent = packets[-1].index
        self._silence.sent(packets[-1].sent_at_us)
        for packet in packets:
            if packet.cluster is None:
                break
            self._prober.sent(packet)

    def feedback_received(self, report: Report, in_flight_bytes: int, now_us: int) -> Decision:
        self._limit.update(self._sent_bytes, self._rate.rate_bps, now_us)
        self._sent_bytes = 0
        self._skipped_bytes += report.skipped_bytes
        if report.arrived:
            self._take(report, now_us)
            newest = report.arrived[-1]
            rtt_us = self._round_trip.rtt_us or 0
            interval_us = self._round_trip.interval_us
            if self._silence.heard(rtt_us, interval_us, is_waiting=in_flight_bytes > 0, now_us=now_us):
                self._loss.forget(now_us)
                self._limit = ApplicationLimit(now_us)
            self._judge_loss(report, now_us)
            self._control(newest.index, len(report.lost), now_us)
            self._probe(now_us)
        self.decision = self._decide(now_us)
        return self.decision

    def report_received(self, loss_ratio: float, rtt_us: int | None, now_us: int) -> Decision:  # noqa: ARG002 - protocol
        """Do nothing: feedback has told of each packet, and sooner."""
        return self.decision

    def remb_received(self, estimate_bps: int, now_us: int) -> Decision:  # noqa: ARG002 - protocol
        """Do nothing: a receiver that reports each packet does not estimate."""
        return self.decision

    def tick(self, now_us: int) -> Decision:
        if self._silence.tick(now_us):
            self._rate.reason = Reason.SILENCE
        self._prober.expire(now_us)
        self.decision = self._decide(now_us)
        return self.decision

    def next_tick_us(self) -> int | None:
        return self._silence.next_us()

    def _begin_measuring(self) -> None:
        """Make anew all that is reckoned in the receiver's time."""
        self._trains = Trains(self._interval_us)
        self._train_rate = TrainRate()
        self._burst_rate = BurstRate()
        self._queue = QueueDelay()
        self._trendline = Trendline()
        self._acked = Acked()
        self._busy_since_us: int | None = None
        self._skipped_bytes = 0

    def _comparable(self, arrived: list[Sent], now_us: int) -> list[Sent]:
        """Return what arrived by the clock of the newest packet; begin anew if what came before was by another."""
        newest_us = arrived[-1].arrived_at_us
        ahead_us = newest_us - now_us
        if self._clock_ahead_us is None:
            self._clock_ahead_us = ahead_us
        elif abs(ahead_us - self._clock_ahead_us) > _CLOCK_STEP_US:
            # The rate stays: the clock says nothing of the path.
            self._clock_ahead_us = ahead_us
            self._begin_measuring()
            self._round_trip.rebase()
            self._prober.abort()
        return [packet for packet in arrived if abs(packet.arrived_at_us - newest_us) <= _CLOCK_STEP_US]

    def _take(self, report: Report, now_us: int) -> None:
        arrived = self._comparable(report.arrived, now_us)
        acked, prober = self._acked, self._prober
        if self._skipped_bytes:
            acked.add(
                arrived[0].sent_at_us,
                (acked.newest_us + arrived[0].arrived_at_us) // 2,
                self._skipped_bytes,
            )
            self._skipped_bytes = 0
        for packet in arrived:
            acked.add(packet.sent_at_us, packet.arrived_at_us, packet.size_bytes)
            if packet.cluster is not None:
                prober.arrived(packet)
        acked.trim()
        self._round_trip.add(max(packet.sent_at_us for packet in arrived), now_us)
        queue, trains = self._queue, self._trains
        for train in trains.add(arrived):
            queue.add(train.arrivals_us[0], train.low_us)
            self._trendline.add(train.arrivals_us[0], train.low_us)
            self._train_rate.add(train, queue.jitter_us)
            self._burst_rate.add(train)
            queue.look(train.arrivals_us[0], train.low_us)
            if train.low_us - queue.base_us < LOW_US + queue.jitter_us:
                self._busy_since_us = None
            elif self._busy_since_us is None:
                self._busy_since_us = train.arrivals_us[0]
        self._train_rate.age(acked.newest_us)
        assert trains.open is not None
        queue.look(trains.open.arrivals_us[0], trains.open.low_us)

    def _judge_loss(self, report: Report, now_us: int) -> None:
        if self._rate.phase is not Phase.FOLLOW:
            # What a queue that is full has lost is answered by draining it.
            self._loss.forget(now_us)
            return
        if report.arrived[-1].index < self._cut_at_index:
            # What was sent before a cut says nothing of what became of it.
            self._loss.forget(now_us)
            return
        verdict = self._loss.add(len(report.arrived), len(report.lost), report.recovered, now_us)
        if verdict is None:
            return
        if verdict.is_natural:
            self._rate.forgive()
        elif verdict.cut_ratio < 1 and not self._limit.is_limited:
            self._rate.lose(verdict, self._acked.rate_bps(), now_us)
            self._cut_at_index = self._newest_sent + 1

    def _control(self, newest_index: int, lost_packets: int, now_us: int) -> None:
        """Let the rate follow what is known now."""
        rate, queue = self._rate, self._queue
        before_bps, before = rate.rate_bps, rate.phase
        if self._busy_since_us is not None and queue.standing_us > HIGH_US:
            # What passed before the queue began says nothing of the path that it stands in.
            self._train_rate.forget_before(self._busy_since_us)
        rate.update(self._signals(newest_index, lost_packets, now_us))
        if rate.phase is not Phase.FOLLOW:
            self._burst_rate.forget()
        queue.holds_base = rate.phase is not Phase.FOLLOW
        if rate.is_rebased:
            queue.rebase()
            self._round_trip.rebase()
            self._busy_since_us = None
        if rate.has_dropped:
            self._plan.dropped(now_us)
        is_draining = before is rate.phase is Phase.DRAIN
        if abs(rate.rate_bps - before_bps) > _CHANGE_RATIO * before_bps and not is_draining:
            # What a drain comes to is answered when its beginning is: it changes with each report.
            self._changed_at_index = self._newest_sent + 1

    def _signals(self, newest_index: int, lost_packets: int, now_us: int) -> Signals:
        queue, train = self._queue, self._trains.open
        assert train is not None
        newest_us = train.newest_way_us - queue.base_us
        is_slow = newest_us > _SLOW_QUEUE_RATIO * self._interval_us and len(train.arrivals_us) >= _SLOW_PACKETS
        return Signals(
            now_us=now_us,
            standing_us=queue.standing_us,
            newest_us=newest_us,
            habit_us=queue.habit_us,
            flat_us=queue.flat_us,
            jitter_us=queue.jitter_us,
            usage=self._trendline.usage,
            acked_bps=self._acked.rate_bps(),
            steady_bps=self._acked.steady_bps(),
            busy=self._busy(),
            train=self._train_rate.measure(queue.jitter_us),
            rough_train=self._train_rate.measure(queue.jitter_us, ROUGH_ERROR_RATIO),
            slow_bps=train.steady_bps() if is_slow else None,
            variation_ratio=self._train_rate.variation_ratio,
            is_application_limited=self._limit.is_limited,
            is_loss_suspicious=self._loss.is_suspicious,
            is_answered=newest_index >= self._changed_at_index,
            lost_packets=lost_packets,
        )

    def _busy(self) -> Passage | None:
        if self._busy_since_us is None or self._queue.standing_us < LOW_US:
            return None
        passage = self._acked.passage(max(self._busy_since_us, self._acked.newest_us - _BUSY_WINDOW_US))
        span_us = max(_BUSY_SPAN_US, _BUSY_JITTERS * self._queue.jitter_us)
        is_enough = passage is not None and passage.span_us >= span_us and passage.packets >= _BUSY_PACKETS
        return passage if is_enough else None

    def _probe(self, now_us: int) -> None:
        """Heed what a probe has shown, and begin the next one if it is time."""
        prober, rate = self._prober, self._rate
        if prober.is_out and self._queue.standing_us > ABORT_QUEUE_US:
            prober.abort()
        result_bps = prober.result_bps(now_us)
        if rate.phase is not Phase.FOLLOW:
            return
        # While little is sent nothing else tells that there is less than is remembered.
        if result_bps is not None and (result_bps > rate.rate_bps or self._limit.is_limited):
            rate.set_rate(result_bps, Reason.PROBE)
            self._changed_at_index = self._newest_sent + 1
        if not prober.is_out:
            self._begin_probe(now_us)

    def _begin_probe(self, now_us: int) -> None:
        rate = self._rate
        if _PROBE_GAIN_RATIO * rate.rate_bps >= self._ceiling_bps:
            return
        train = self._train_rate.measure(self._queue.jitter_us)
        is_known = train is not None and rate.trust * train.rate_bps < _KNOWN_RATIO * rate.rate_bps
        wanted_bps = self._plan.next_bps(rate.rate_bps, now_us, is_limited=self._limit.is_limited, is_known=is_known)
        if wanted_bps is not None:
            self._prober.start(min(wanted_bps, self._ceiling_bps), now_us)

    def _decide(self, now_us: int) -> Decision:
        rate_bps = max(self._rate.rate_bps >> self._silence.halvings, self._limits.min_bps)
        frame_bytes = rate_bps * self._interval_us // BITS_PER_BYTE_US
        capacity_bps = self._burst_rate.rate_bps
        trip = self._round_trip
        held_us = trip.least_us + trip.interval_us + _SLACK_US
        if self._rate.phase is Phase.COMPETE:
            # Others' queue is part of the path then, and half a cycle of theirs besides.
            held_us += self._queue.standing_us + _COMPETING_US
        has_report = trip.rtt_us is not None
        return Decision(
            at_us=now_us,
            estimate_bps=rate_bps,
            target_bps=rate_bps,
            pacing_bps=max(round(PACING_RATIO * rate_bps), capacity_bps or 0),
            capacity_bps=capacity_bps,
            in_flight_cap_bytes=rate_bps * held_us // BITS_PER_BYTE_US + frame_bytes if has_report else None,
            queue_us=self._queue.standing_us,
            rtt_us=trip.rtt_us,
            acked_bps=self._acked.rate_bps(),
            loss_ratio=self._loss.ratio,
            usage=self._trendline.usage,
            is_application_limited=self._limit.is_limited,
            probe=self._prober.cluster,
            reason=self._rate.reason,
        )
