"""A running application or source with its feed, renditions, seat and viewers. `door` is the only way in."""
