"""NVIDIA's driver: its device files, its version, CUDA, and the encode library with what needs it."""

import re
from dataclasses import dataclass
from typing import Any

from streamer.child import ChildError
from streamer.doctor.advice import advise
from streamer.doctor.case import Case
from streamer.doctor.host import Host
from streamer.doctor.report import Finding, Mark, mark_of
from streamer.encoders import _nvenc_library
from streamer.encoders._nvenc_reasons import TOO_OLD

# Of PyNvVideoCodec 2.2; FFmpeg's wrapper says itself what it misses.
_NEEDED_API = (12, 1)
_VERSION_FILE = "proc/driver/nvidia/version"
_CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES"
# What the encode library is mounted into a container for.
_ENCODING_CAPABILITIES = {"video", "all"}


@dataclass(frozen=True, slots=True)
class Driver:
    """What the driver says. `gpus` is empty where CUDA does not run; `encodes` is whether encoders may be asked for."""

    findings: tuple[Finding, ...]
    gpus: tuple[dict[str, Any], ...] = ()
    encodes: bool = False


def examine(case: Case) -> Driver:
    """Ask the driver."""
    case.say("asking the NVIDIA driver")
    kernel = [_devices(case.host), *_version(case.host)]
    try:
        cuda = case.ask("cuda")
    except ChildError as exc:
        # A machine without an NVIDIA GPU is as it should be, unless it is asked to have one.
        matters = case.needs_nvidia or (case.wants_nvidia and bool(case.host.nvidia_devices))
        mark = mark_of(is_right=False, matters=matters)
        return Driver((*kernel, Finding("driver.cuda", mark, str(exc), advise(str(exc)))))
    version = Finding(
        "driver.cuda", Mark.OK, f"the driver knows CUDA {cuda['version']}", figures={"version": cuda["version"]}
    )
    api = _api(case)
    encodes = api.mark is Mark.OK
    findings = (*kernel, version, *_capabilities(case, encodes=encodes), api, _package(case))
    return Driver(findings, tuple(cuda["gpus"]), encodes)


def _devices(host: Host) -> Finding:
    devices = host.nvidia_devices
    text = f"device files of NVIDIA: {', '.join(devices)}" if devices else "there are no device files of NVIDIA in /dev"
    return Finding("driver.devices", mark_of(is_right=bool(devices), matters=False), text, figures={"devices": devices})


def _version(host: Host) -> list[Finding]:
    text = host.read(_VERSION_FILE)
    if text is None:
        return []
    version = re.search(r"\s(\d{3,}(?:\.\d+)+)\s", text)
    shown = version[1] if version else text.splitlines()[0]
    return [Finding("driver.version", Mark.OK, f"NVIDIA driver {shown}", figures={"version": shown})]


def _capabilities(case: Case, *, encodes: bool) -> list[Finding]:
    """Return what a container was given, where that tells anything."""
    if not case.host.is_container:
        return []
    given = case.host.environment.get(_CAPABILITIES, "")
    is_right = bool(_ENCODING_CAPABILITIES & {word.strip() for word in given.split(",")})
    return [
        Finding(
            "driver.capabilities",
            mark_of(is_right=is_right, matters=case.wants_nvidia and not encodes),
            f"{_CAPABILITIES} is {given!r}" + ("" if is_right else ", without video"),
            None if is_right else f"start the container with -e {_CAPABILITIES}=compute,video,utility",
            {"capabilities": given},
        )
    ]


def _api(case: Case) -> Finding:
    name = "driver.nvenc_api"
    try:
        found = tuple(case.ask("nvenc_api"))
    except ChildError as exc:
        return Finding(name, mark_of(is_right=False, matters=case.wants_nvidia), str(exc), advise(str(exc)))
    is_new = found >= _NEEDED_API
    shown, needed = (".".join(map(str, version)) for version in (found, _NEEDED_API))
    text = f"the driver offers NVENC API {shown}; PyNvVideoCodec needs {needed}"
    return Finding(
        name,
        mark_of(is_right=is_new, matters=case.wants_nvidia),
        text if is_new else f"{text}: the driver is too old",
        None if is_new else advise(TOO_OLD),
        {"version": shown, "needed": needed},
    )


def _package(case: Case) -> Finding:
    name, missing = "driver.package", _nvenc_library.why_missing()
    if missing is None:
        version = _nvenc_library.version()
        return Finding(name, Mark.OK, f"PyNvVideoCodec {version} is installed", figures={"version": version})
    mark = mark_of(is_right=False, matters=case.config.video.encoder == "nvenc")
    return Finding(name, mark, missing, "install it: FFmpeg's wrapper pays for each change of the rate with a keyframe")
