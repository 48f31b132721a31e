"""Which renditions are stuck in a picture: their driver, or their library, does not return.

Knows nothing of encoders: looks at which picture each rendition is, again and again.
"""

from collections.abc import Iterable

from streamer.session.hub import Rendition

# So many looks at the same picture. Opening an encoder on a GPU that slept takes seconds and counts to its first
# picture. Looks are counted and no time: a process that was stopped for a while has not been looked at either.
LOOKS = 32


class Stalls:
    """What was seen of the renditions of one session. `look` at regular intervals, on the event loop."""

    def __init__(self) -> None:
        # The picture that each is at, and how many looks have met it there.
        self._seen: dict[Rendition, tuple[int, int]] = {}

    def look(self, renditions: Iterable[Rendition]) -> list[Rendition]:
        """Return those that have been at one picture for `LOOKS` looks, this one included; each is named once."""
        seen: dict[Rendition, tuple[int, int]] = {}
        for rendition in renditions:
            picture = rendition.picture_at_work
            if picture is not None:
                before, looks = self._seen.get(rendition, (picture, 0))
                seen[rendition] = picture, looks + 1 if before == picture else 1
        self._seen = seen
        return [rendition for rendition, (_, looks) in seen.items() if looks == LOOKS]
