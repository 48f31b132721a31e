import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# "quick" runs with every test run; "ci" is what a parser must survive before a release. FUZZ_EXAMPLES chooses its own.
_QUICK_EXAMPLES = 300
_CI_EXAMPLES = 10_000
_SUPPRESSED = [HealthCheck.too_slow, HealthCheck.data_too_large]

_ci_examples = int(os.environ.get("FUZZ_EXAMPLES", _CI_EXAMPLES))
settings.register_profile("quick", max_examples=_QUICK_EXAMPLES, deadline=None, suppress_health_check=_SUPPRESSED)
settings.register_profile(
    "ci",
    max_examples=_ci_examples,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=_SUPPRESSED,
)
_is_ci = "FUZZ_EXAMPLES" in os.environ or os.environ.get("HYPOTHESIS_PROFILE") == "ci"
settings.load_profile("ci" if _is_ci else "quick")

# Ten thousand inputs take half a minute at most on a quiet machine, several on a busy one.
_TIMEOUT_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(_TIMEOUT_S))
