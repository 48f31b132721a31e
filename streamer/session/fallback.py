"""When to open a hardware encoder again that has failed, and when to give it up.

Knows no encoder: counts failures. Drivers restart, sessions get lost and come back; what fails again and again does so
for good.
"""

# The third failure in a row gives the encoder up.
MOST_RETRIES = 2
# Failures that lie farther apart are not in a row.
FORGIVEN_AFTER_US = 10_000_000


class Fallback:
    """The failures of one rendition's encoders. Called from its thread only."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._failed_at_us = 0

    def may_retry(self, now_us: int) -> bool:
        """Note a failure, and return whether another encoder of the same kind shall be tried."""
        if now_us - self._failed_at_us > FORGIVEN_AFTER_US:
            self._in_a_row = 0
        self._in_a_row += 1
        self._failed_at_us = now_us
        return self._in_a_row <= MOST_RETRIES
