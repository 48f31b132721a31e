"""A path in simulated time: a flow with frames at one end, a receiver that reports each packet at the other."""

import random
from collections import deque

from streamer.congestion.decision import RateLimits
from streamer.congestion.flow import Flow
from streamer.congestion.pacer import Priority
from streamer.media.units import BITS_PER_BYTE, BITS_PER_BYTE_US

PAYLOAD_BYTES = 1200
PACKET_BYTES = 1248
FEEDBACK_US = 50_000
# The receiver's clock.
_TICK_US = 250
_BUCKET_BYTES = 20_000
_NEVER_US = 1 << 62
LIMITS = RateLimits(min_bps=300_000, start_bps=3_000_000, max_bps=50_000_000)


class FakePacket:
    """A packet of full size, with its number in the order of making."""

    def __init__(self, number, size_bytes=PACKET_BYTES):
        self.number = number
        self.size_bytes = size_bytes


class FakePath:
    """One bottleneck, one delay each way. What changes during a run are its attributes.

    `share` is how much of its target a frame takes, None for no frames at all.
    """

    def __init__(self, capacity_bps, *, delay_us=20_000, queue_us=200_000, seed=1, limits=LIMITS, fps=60.0, **flow):
        self.capacity_bps = capacity_bps
        self.delay_us = delay_us
        self.queue_us = queue_us
        self.loss_ratio = 0.0
        self.jitter_us = 0
        self.share = 1.0
        self.has_padding = True
        self.feeds_back = True
        self.policed_bps = None
        self.now_us = 0
        self.flow = Flow(limits, fps=fps, has_feedback=True, now_us=0, **flow)
        self.decisions = [self.flow.decision]
        # When what has left, and which queue what was not lost has met.
        self.sent = []
        self.queues_us = []
        self.padding_bytes = 0
        self.skipped = 0
        self.lost = []
        self.overdue = []
        self._rng = random.Random(seed)
        self._interval_us = round(1_000_000 / fps)
        self._frame_at_us = 0
        self._feedback_at_us = FEEDBACK_US
        self._wake_at_us = _NEVER_US
        self._reports = deque()
        self._free_at_us = 0
        self._last_arrival_us = 0
        self._tokens = _BUCKET_BYTES
        self._tokens_at_us = 0
        self._next_index = self._next_report = self._made = 0
        self._under_way = deque()

    @property
    def estimate_bps(self):
        return self.flow.decision.estimate_bps

    def stall(self, duration_us):
        """Let nothing pass for so long: what is sent meanwhile waits."""
        self._free_at_us = max(self._free_at_us, self.now_us) + duration_us

    def run(self, seconds):
        """Let time pass."""
        end_us = self.now_us + round(seconds * 1_000_000)
        while (next_us := self._next_us()) <= end_us:
            self.now_us = max(self.now_us, next_us)
            self._step()
        self.now_us = end_us
        return self

    def _next_us(self):
        wake_us = self.flow.next_wake_us()
        self._wake_at_us = _NEVER_US if wake_us is None else wake_us
        reported_at_us = self._reports[0][0] if self._reports else _NEVER_US
        return min(self._frame_at_us, self._feedback_at_us, self._wake_at_us, reported_at_us)

    def _step(self):
        now_us = self.now_us
        if now_us >= self._frame_at_us:
            self._frame_at_us += self._interval_us
            self._make_frame()
        if now_us >= self._feedback_at_us:
            self._feedback_at_us += FEEDBACK_US
            self._report()
        while self._reports and self._reports[0][0] <= now_us:
            self.lost += self.flow.feedback(self._reports.popleft()[1], now_us)
            self._note()
        if now_us >= self._wake_at_us:
            self.flow.tick(now_us)
            self.overdue += self.flow.overdue()
            self._note()
        self._pump()

    def _note(self):
        # The same one again is by far the most frequent, and costs much less to tell than an equal one.
        decision, last = self.flow.decision, self.decisions[-1]
        if decision is not last and decision != last:
            self.decisions.append(decision)

    def _make_frame(self):
        allowed = self.flow.wish_rate(self.now_us)
        if self.share is None:
            return
        if self.flow.backlog_us(self.now_us) > self._interval_us:
            self.skipped += 1
            return
        size_bytes = allowed.target_bps / allowed.fps / BITS_PER_BYTE * self.share * self._rng.lognormvariate(0, 0.1)
        size_bytes = max(100, min(size_bytes, allowed.max_frame_bytes))
        count = -(-round(size_bytes) // PAYLOAD_BYTES)
        packets = [FakePacket(self._made + number, round(size_bytes / count) + 48) for number in range(count)]
        self._made += count
        self.flow.enqueue(packets, Priority.VIDEO, self.now_us)

    def _pump(self):
        packets = self.flow.release(self.now_us)
        if packets:
            self._send([packet.size_bytes for packet in packets], Priority.VIDEO, packets)
        due_bytes = self.flow.padding_due_bytes(self.now_us)
        if due_bytes > 0 and self.has_padding:
            sizes_bytes = [PACKET_BYTES] * -(-due_bytes // PACKET_BYTES)
            self._send(sizes_bytes, Priority.PADDING)
            self.padding_bytes += sum(sizes_bytes)

    def _send(self, sizes_bytes, priority, packets=None):
        now_us, first_index = self.now_us, self._next_index
        self._next_index += len(sizes_bytes)
        self.sent.append((now_us, sum(sizes_bytes)))
        self.flow.sent(first_index, sizes_bytes, now_us, priority, packets)
        for index, size_bytes in enumerate(sizes_bytes, first_index):
            is_lost = self._rng.random() < self.loss_ratio
            if not is_lost and self._free_at_us - now_us <= self.queue_us and self._police(size_bytes):
                self._carry(index, size_bytes)

    def _carry(self, index, size_bytes):
        now_us = self.now_us
        self._free_at_us = max(now_us, self._free_at_us) + size_bytes * BITS_PER_BYTE_US // self.capacity_bps
        self.queues_us.append((now_us, self._free_at_us - now_us))
        arrived_at_us = self._free_at_us + self.delay_us + round(self._rng.random() * self.jitter_us)
        # Nothing is overtaken.
        self._last_arrival_us = max(self._last_arrival_us, arrived_at_us)
        self._under_way.append((index, self._last_arrival_us))

    def _police(self, size_bytes):
        if self.policed_bps is None:
            return True
        earned = (self.now_us - self._tokens_at_us) * self.policed_bps / BITS_PER_BYTE_US
        self._tokens = min(_BUCKET_BYTES, self._tokens + earned)
        self._tokens_at_us = self.now_us
        if self._tokens < size_bytes:
            return False
        self._tokens -= size_bytes
        return True

    def _report(self):
        arrived_us = {}
        while self._under_way and self._under_way[0][1] <= self.now_us:
            index, at_us = self._under_way.popleft()
            arrived_us[index] = at_us // _TICK_US * _TICK_US
        if not arrived_us:
            return
        indices = range(self._next_report, index + 1)
        self._next_report = index + 1
        if self.feeds_back:
            self._reports.append((self.now_us + self.delay_us, [(index, arrived_us.get(index)) for index in indices]))

    def queue_percentile_us(self, since_us, percent=95):
        """Return a percentile of the queue that packets met."""
        queues_us = sorted(queue_us for at_us, queue_us in self.queues_us if at_us >= since_us)
        return queues_us[min(len(queues_us) - 1, len(queues_us) * percent // 100)]
