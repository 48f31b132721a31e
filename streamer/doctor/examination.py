"""The examination from first to last. What is asked of the driver comes before what builds on it."""

from streamer.doctor import backends, choice, driver, encoders, gpu, host
from streamer.doctor.case import Case
from streamer.doctor.report import Report
from streamer.encoders import _proof_cache


def examine(case: Case) -> Report:
    """Examine everything; takes half a minute, most of it for encoding."""
    # What is examined is found out anew, and the next start of the server relies on what this one finds.
    _proof_cache.clear()
    machine = host.examine(case.host)
    nvidia = driver.examine(case)
    gpus = gpu.examine(case, nvidia)
    around = backends.examine(case)
    chosen, choices = choice.examine(case)
    tried = encoders.examine(case, chosen)
    paces = encoders.examine_pace(case)
    return Report((*machine, *nvidia.findings, *gpus, *choices, *tried, *paces, *around))
