"""Decode access units in a thread of their own and read the stamps, for a viewer that is no browser."""

from collections.abc import Sequence
from queue import SimpleQueue
from threading import Lock, Thread
from typing import cast

import av
import av.error
import numpy as np

from streamer.bench.assembler import AccessUnit
from streamer.clock import Clock
from streamer.decoder import open_decoder
from streamer.media import stamp
from streamer.media.frame import Resolution

Row = list[float | None]


class StampDecoder:
    """Rows as `stamps.py` describes them, of all frames since they were last taken. `push` and `take` from one thread.

    Instants are those of the monotonic clock.
    """

    def __init__(self, codec: str, clock: Clock) -> None:
        self._clock = clock
        self._context = open_decoder(codec)
        self._queue: SimpleQueue[tuple[AccessUnit, int] | None] = SimpleQueue()
        self._lock = Lock()
        self._rows: list[Row] = []
        self._unreadable = self._undecodable = 0
        self.frames = 0
        self._thread = Thread(target=self._run, name="stamp decoder", daemon=True)
        self._thread.start()

    def push(self, unit: AccessUnit, received_us: int) -> None:
        """Hand over a frame whose last packet arrived at `received_us`."""
        self._queue.put((unit, received_us))

    def take(self) -> tuple[list[Row], int, int]:
        """Return the rows, and how many frames had no readable stamp and could not be decoded."""
        with self._lock:
            rows, self._rows = self._rows, []
            counts = self._unreadable, self._undecodable
            self._unreadable = self._undecodable = 0
        return rows, *counts

    def close(self) -> None:
        """End the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            unit, received_us = item
            began_us = self._clock.now_us()
            try:
                frames = self._context.decode(av.Packet(unit.data))
            except av.error.FFmpegError:
                with self._lock:
                    self._undecodable += 1
                continue
            now_us = self._clock.now_us()
            for frame in frames:
                self._note(frame, unit, received_us, now_us, now_us - began_us)

    def _note(self, frame: av.VideoFrame, unit: AccessUnit, received_us: int, now_us: int, decode_us: int) -> None:
        found = stamp.decode(sample(frame))
        with self._lock:
            self.frames += 1
            if found is None:
                self._unreadable += 1
                return
            self._rows.append(
                [
                    found.frame_number,
                    found.time_100us,
                    found.input_number,
                    now_us / 1000,
                    received_us / 1000,
                    decode_us / 1000,
                    unit.ticks,
                ]
            )


def sample(frame: av.VideoFrame) -> Sequence[int]:
    """Return the lumas that a stamp is read from: the middle of each block."""
    resolution = Resolution(frame.width, frame.height)
    columns = stamp.sample_columns_px(resolution)
    luma = frame.planes[0]
    row = stamp.block_px(resolution) // 2
    line = np.frombuffer(memoryview(luma), np.uint8, luma.line_size, row * luma.line_size)
    return cast("list[int]", line[list(columns)].tolist())
