"""The machine as its files describe it: system, processors, container, clock and buffers. Runs and loads nothing."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streamer.doctor.report import Finding, Mark, mark_of
from streamer.transport.path import SEND_BUFFER_BYTES

_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
_CONTAINER_VARIABLES = ("container", "KUBERNETES_SERVICE_HOST")
# One for encoding, one for all the rest.
_FEWEST_CORES = 2
# Clocks that a read of the time costs microseconds of, thousands of times a second.
_SLOW_CLOCKS = ("hpet", "acpi_pm", "refined-jiffies", "jiffies")
_WMEM_MAX = "proc/sys/net/core/wmem_max"


@dataclass(frozen=True, slots=True)
class Host:
    """Where to look: another root and environment are for tests."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def read(self, path: str) -> str | None:
        """Return the text of a file without its last line break, None if there is no such file."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    @property
    def is_container(self) -> bool:
        return any((self.root / name).exists() for name in _CONTAINER_FILES) or any(
            self.environment.get(name) for name in _CONTAINER_VARIABLES
        )

    @property
    def nvidia_devices(self) -> tuple[str, ...]:
        """The device files of NVIDIA's kernel module; of Windows' in WSL 2."""
        names = {path.name for path in (self.root / "dev").glob("nvidia*")} | {
            path.name for path in (self.root / "dev").glob("dxg")
        }
        return tuple(sorted(name for name in names if re.fullmatch(r"nvidia\d+|nvidiactl|dxg", name)))


def examine(host: Host) -> list[Finding]:
    """Return what matters of this machine to every configuration."""
    return [_system(host), _cores(host), _load(host), _clock(host), _send_buffer(host)]


def is_busy(host: Host) -> bool:
    """Return whether other programs have kept all processors busy for the last minute."""
    load = _load_of(host)
    return load is not None and load > usable_cores(host)


def usable_cores(host: Host) -> float:
    """Return how many processors this process may use, as a quota of its container may say."""
    count = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    quota, _, period = (host.read("sys/fs/cgroup/cpu.max") or "max").partition(" ")
    return min(count, int(quota) / int(period)) if quota.isdigit() and period.isdigit() else count


def _system(host: Host) -> Finding:
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', host.read("etc/os-release") or "", re.MULTILINE))
    name = release.get("PRETTY_NAME", platform.system())
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    is_linux = platform.system() == "Linux"
    return Finding(
        "machine.system",
        mark_of(is_right=is_linux, matters=False),
        f"{name}, {kernel}, Python {platform.python_version()}" + (", in a container" if host.is_container else ""),
        None if is_linux else "use Linux: GPUs, X11 desktops and paced sending are made for it",
        {"name": name, "kernel": kernel, "is_container": host.is_container},
    )


def _cores(host: Host) -> Finding:
    cores = usable_cores(host)
    is_enough = cores >= _FEWEST_CORES
    return Finding(
        "machine.cores",
        mark_of(is_right=is_enough, matters=False),
        f"{cores:g} processor cores may be used",
        None if is_enough else f"give it at least {_FEWEST_CORES} cores: encoding and sending share them",
        {"cores": cores},
    )


def _load(host: Host) -> Finding:
    load = _load_of(host)
    if load is None:
        return Finding("machine.load", Mark.NOTE, "the system does not say how busy it is")
    busy = is_busy(host)
    return Finding(
        "machine.load",
        mark_of(is_right=not busy, matters=False),
        f"{load:.1f} programs wanted a processor in the last minute" + (": times below are too long" if busy else ""),
        "end what else runs, and ask again" if busy else None,
        {"load": load},
    )


def _load_of(host: Host) -> float | None:
    first, _, _ = (host.read("proc/loadavg") or "").partition(" ")
    return float(first) if re.fullmatch(r"\d+\.\d+", first) else None


def _clock(host: Host) -> Finding:
    source = host.read("sys/devices/system/clocksource/clocksource0/current_clocksource")
    if source is None:
        return Finding("machine.clock", Mark.NOTE, "the system does not say which clock it reads")
    is_slow = source in _SLOW_CLOCKS
    return Finding(
        "machine.clock",
        mark_of(is_right=not is_slow, matters=False),
        f"the time comes from {source}" + (", which is slow to read" if is_slow else ""),
        "let the kernel use tsc (boot parameters clocksource, tsc); its log says why it does not" if is_slow else None,
        {"source": source},
    )


def _send_buffer(host: Host) -> Finding:
    text = host.read(_WMEM_MAX)
    if text is None or not text.isdigit():
        return Finding(
            "network.send_buffer", Mark.NOTE, f"the system does not say how large UDP buffers may be (/{_WMEM_MAX})"
        )
    largest_bytes = int(text)
    is_enough = largest_bytes >= SEND_BUFFER_BYTES
    return Finding(
        "network.send_buffer",
        mark_of(is_right=is_enough, matters=False),
        f"UDP send buffers may hold {largest_bytes} bytes, and {SEND_BUFFER_BYTES} are asked for"
        + ("" if is_enough else ": large keyframes may have to wait or lose packets"),
        None if is_enough else f"sysctl -w net.core.wmem_max={SEND_BUFFER_BYTES}",
        {"largest_bytes": largest_bytes, "wanted_bytes": SEND_BUFFER_BYTES},
    )
