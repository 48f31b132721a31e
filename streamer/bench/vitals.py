"""What a server process holds at one moment: memory, descriptors, threads, and the tasks it tells of itself."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

import psutil

from streamer.errors import SessionError

_BYTES_PER_MB = 1_000_000
_ANSWER_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Vitals:
    """One sample. `pss_mb` shares what several processes have in common among them; it is what leaks are seen in."""

    at_s: float
    rss_mb: float
    pss_mb: float
    descriptors: int
    threads: int
    tasks: int

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def read_vitals(pid: int, url: str, at_s: float) -> Vitals:
    """Look at a server.

    Raises:
        SessionError: it has ended, or does not answer.
    """
    try:
        process = psutil.Process(pid)
        memory = process.memory_full_info()
        descriptors = process.num_fds()
        with urllib.request.urlopen(f"{url}healthz", timeout=_ANSWER_TIMEOUT_S) as response:  # noqa: S310 - our own server
            health = json.load(response)
    except (psutil.NoSuchProcess, urllib.error.URLError, TimeoutError) as exc:
        raise SessionError(f"the server cannot be looked at any more: {exc}") from exc
    return Vitals(
        at_s=round(at_s, 1),
        rss_mb=round(memory.rss / _BYTES_PER_MB, 2),
        pss_mb=round(memory.pss / _BYTES_PER_MB, 2),
        descriptors=descriptors,
        threads=int(health["threads"]),
        tasks=int(health["tasks"]),
    )


def growth(samples: Sequence[Vitals], name: str) -> float | None:
    """Return by how much a member grew: the mean of the last tenth of the samples minus that of the first tenth."""
    if len(samples) < 2:  # noqa: PLR2004 - growth is between two
        return None
    tenth = max(1, len(samples) // 10)
    values = [getattr(sample, name) for sample in samples]
    return round(fmean(values[-tenth:]) - fmean(values[:tenth]), 2)
