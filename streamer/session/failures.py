"""When what fails again and again is given up.

Knows nothing of what fails. Drivers restart, sessions get lost and come back; what fails three times in a row does so
for good.
"""

# The third failure in a row is one too many.
MOST_RETRIES = 2
# Failures that lie farther apart are not in a row.
FORGIVEN_AFTER_US = 10_000_000


class Failures:
    """The failures of one thing. Used by one thread."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._failed_at_us = 0

    def may_retry(self, now_us: int) -> bool:
        """Note a failure, and return whether it shall be tried again."""
        if now_us - self._failed_at_us > FORGIVEN_AFTER_US:
            self._in_a_row = 0
        self._in_a_row += 1
        self._failed_at_us = now_us
        return self._in_a_row <= MOST_RETRIES
