"""Which renditions are stuck in a picture: their driver, or their library, does not return.

Knows nothing of encoders: looks at which picture each rendition is, again and again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streamer.session.hub import Rendition, RenditionKey

# So many looks at the same picture. Opening an encoder on a GPU that slept takes seconds and counts to its first
# picture. Looks are counted and no time: a process that was stopped for a while has not been looked at either.
LOOKS = 32


@dataclass(frozen=True, slots=True)
class _Seen:
    rendition: Rendition
    picture: int
    looks: int


class Stalls:
    """What was seen of the renditions of one session. `look` at regular intervals, on the event loop."""

    def __init__(self) -> None:
        self._seen: dict[RenditionKey, _Seen] = {}

    def look(self, renditions: Mapping[RenditionKey, Rendition]) -> list[RenditionKey]:
        """Return those that have been at one picture for `LOOKS` looks, this one included; each is named once."""
        seen = [(key, self._seen_of(key, rendition)) for key, rendition in renditions.items()]
        self._seen = {key: one for key, one in seen if one is not None}
        return [key for key, one in self._seen.items() if one.looks == LOOKS]

    def _seen_of(self, key: RenditionKey, rendition: Rendition) -> _Seen | None:
        picture, before = rendition.picture_at_work, self._seen.get(key)
        if picture is None:
            return None
        is_same = before is not None and before.rendition is rendition and before.picture == picture
        return _Seen(rendition, picture, before.looks + 1 if before is not None and is_same else 1)
