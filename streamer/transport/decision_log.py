"""What rate control was told and has decided, in a file that a bug report can carry: one line of JSON per event.

Owns the file of a run. What the lines say is congestion/replay.py's, which makes the same decisions from them again. A
viewer's entries are gathered on the event loop, and written in batches by a thread of this file.
"""

import contextlib
import json
import logging
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TextIO

from streamer.congestion.replay import Entry, Note
from streamer.errors import ConfigError

logger = logging.getLogger(__name__)

# A quarter of an hour of 25 Mbit/s. The beginning is kept and not the end: nothing can be replayed without it.
MAX_BYTES = 64 * 1024 * 1024
# Encoding these takes 0.3 ms, in which the event loop may have to wait for the interpreter.
_BATCH_ENTRIES = 64


class DecisionLog:
    """One file for all viewers of a run; each line is an entry with the viewer's number before it.

    Used on the event loop only.
    """

    def __init__(self, file: Path, max_bytes: int = MAX_BYTES) -> None:
        """Open the file, and begin it anew.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            out = file.open("w", encoding="utf-8")
        except OSError as exc:
            raise ConfigError(f"video.decisions_log = {str(file)!r}: {exc.strerror}") from exc
        self._numbers = count(1)
        self._entries: list[Entry] = []
        self._batches: SimpleQueue[list[Entry] | None] = SimpleQueue()
        self._writer = Thread(target=_write, args=(out, self._batches, max_bytes), name="decision log", daemon=True)
        self._writer.start()

    def viewer(self) -> Note:
        """Return what takes the entries of one more viewer."""
        number = next(self._numbers)

        def note(entry: Entry) -> None:
            self._entries.append([number, *entry])
            if len(self._entries) >= _BATCH_ENTRIES:
                self._hand_over()

        return note

    def close(self) -> None:
        """Write what is left. Nothing may be noted afterwards."""
        self._hand_over()
        self._batches.put(None)
        self._writer.join()

    def _hand_over(self) -> None:
        self._batches.put(self._entries)
        self._entries = []


def _write(out: TextIO, batches: "SimpleQueue[list[Entry] | None]", max_bytes: int) -> None:
    left_bytes = max_bytes
    with contextlib.suppress(OSError), out:
        while (entries := batches.get()) is not None:
            if left_bytes <= 0:
                continue
            text = "".join([json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries])
            left_bytes -= len(text)
            if left_bytes <= 0:
                logger.warning("%s takes no more decisions because it has %d bytes", out.name, max_bytes)
                continue
            try:
                out.write(text)
            except OSError as exc:
                logger.warning("%s takes no more decisions because %s", out.name, exc.strerror)
                left_bytes = 0
