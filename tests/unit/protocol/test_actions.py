import math
from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from streamer.protocol import actions


def test_actions_are_hashable_values_that_nobody_changes():
    move = actions.PointerMove(1, 2)

    assert {move} == {actions.PointerMove(1, 2)}
    with pytest.raises(FrozenInstanceError):
        move.x = 3  # type: ignore[misc]


def position(offset_px: float, whole_px: int) -> int:
    """Return what the page makes of a place in the picture (README.md, section Input)."""
    return min(65535, math.ceil(offset_px / whole_px * 65536))


@pytest.mark.parametrize("size_px", [1, 2, 3, 360, 640, 720, 1080, 1279, 1366, 1920, 3840, 7680])
def test_pointer_arrives_at_the_pixel_that_it_was_at(size_px):
    pixels = range(size_px)

    columns = [actions.PointerMove(position(px, size_px), 0).pixel(size_px, 9)[0] for px in pixels]
    rows = [actions.PointerMove(0, position(px + 0.5, size_px)).pixel(9, size_px)[1] for px in pixels]

    assert columns == rows == [*pixels]
    assert actions.PointerMove(position(size_px, size_px), 65535).pixel(size_px, 9) == (size_px - 1, 8)


def test_actions_union_names_every_class_of_the_module():
    classes = {value for value in vars(actions).values() if isinstance(value, type)}

    assert set(get_args(actions.InputAction)) == classes
