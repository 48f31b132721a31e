from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from streamer.protocol import actions


def test_actions_are_hashable_values_that_nobody_changes():
    move = actions.PointerMove(1, 2)

    assert {move} == {actions.PointerMove(1, 2)}
    with pytest.raises(FrozenInstanceError):
        move.x = 3  # type: ignore[misc]


def test_actions_union_names_every_class_of_the_module():
    classes = {value for value in vars(actions).values() if isinstance(value, type)}

    assert set(get_args(actions.InputAction)) == classes
