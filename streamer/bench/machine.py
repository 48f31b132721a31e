"""How busy the machine was during a measurement, and who made it busy.

A figure from a machine that was doing something else is not a figure: every bench reports how idle it was, and how much
went to processes that are not part of the measurement, steal included.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

# Above this share of the machine, others have taken part in the result.
MAX_OTHERS_RATIO = 0.15


@dataclass(frozen=True, slots=True)
class Load:
    """What happened between two readings. Percentages are of one core; ratios are of the whole machine."""

    seconds: float
    cpu_percent: dict[str, float]
    idle_ratio: float
    others_ratio: float

    @property
    def is_trusted(self) -> bool:
        return self.others_ratio <= MAX_OTHERS_RATIO


class LoadMeter:
    """Accounts the processes of a measurement by name. `trees` are processes with all their descendants.

    Of those in `alone` the process itself goes by its name, and its descendants by the name that is given.
    """

    def __init__(self, trees: Mapping[str, int], alone: Mapping[str, tuple[int, str]] | None = None) -> None:
        self._trees = {name: psutil.Process(pid) for name, pid in trees.items()}
        self._alone = {name: (psutil.Process(pid), others) for name, (pid, others) in (alone or {}).items()}
        self._before = self._read()

    def read(self) -> Load:
        """Return what happened since the start."""
        at_s, machine, groups = self._read()
        before_at_s, before_machine, before_groups = self._before
        seconds = at_s - before_at_s
        capacity_s = seconds * (psutil.cpu_count() or 1)
        used_s = {name: max(0.0, groups[name] - before_groups[name]) for name in groups}
        idle_s = machine[0] - before_machine[0]
        busy_s = machine[1] - before_machine[1]
        others_s = max(0.0, busy_s - sum(used_s.values()))
        return Load(
            seconds=seconds,
            cpu_percent={name: round(100 * value / seconds, 1) for name, value in used_s.items()},
            idle_ratio=round(min(1.0, idle_s / capacity_s), 3),
            others_ratio=round(others_s / capacity_s, 3),
        )

    def _read(self) -> tuple[float, tuple[float, float], dict[str, float]]:
        times = psutil.cpu_times()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        # On Linux guest time is part of user time already.
        busy_s = sum(times) - idle_s - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        used_s = {name: _tree_cpu_s(root) for name, root in self._trees.items()}
        for name, (root, others) in self._alone.items():
            used_s[name] = _own_cpu_s(root)
            used_s[others] = max(0.0, _tree_cpu_s(root) - used_s[name])
        # What drives the measurement: this process and the browser's driver.
        used_s["bench"] = max(0.0, _tree_cpu_s(psutil.Process()) - sum(used_s.values()))
        return time.monotonic(), (idle_s, busy_s), used_s


def _tree_cpu_s(root: psutil.Process) -> float:
    """Return the CPU time of a process and its descendants, ended ones that were waited for included."""
    try:
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_own_cpu_s(process) + _ended_cpu_s(process) for process in tree)


def _own_cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _ended_cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
