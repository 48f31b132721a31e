"""Cases for the doctor, and what was found of them."""

from pathlib import Path
from typing import Any

from streamer.config import Config
from streamer.doctor.case import Case
from streamer.doctor.host import Host
from streamer.doctor.report import Finding

# Small pictures in the codec that all encoders make: what is examined is sentences, not speed.
SETTINGS: dict[str, Any] = {"session": {"size": "320x192"}, "video": {"codecs": ["h264"]}}


def make_case(root: Path, environment: dict[str, str] | None = None, **sections: Any) -> Case:
    """Return a case on a machine of these files; sections of the configuration replace those of `SETTINGS`."""
    config = Config.model_validate({**SETTINGS, **sections})
    return Case(config, Host(root, environment or {}), lambda _: None)


def lines(*findings: Finding) -> dict[str, tuple[str, str]]:
    """Return mark and sentence of each finding, by its name."""
    return {finding.name: (finding.mark.value, finding.text) for finding in findings}
