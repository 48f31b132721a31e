"""What every input backend promises, for every backend that can run here."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streamer import registry
from streamer.inputs.base import InputBackend, InputSettings
from streamer.protocol.actions import (
    ButtonChange,
    KeyChange,
    PointerMove,
    PointerShift,
    TextEntry,
    WheelTurn,
)
from streamer.protocol.input import MAX_ENTRY_BYTES
from tests.fakes.availability import available

EVERYTHING = (
    PointerMove(0, 65_535),
    PointerShift(-3, 4),
    WheelTurn(-120, 240),
    ButtonChange(0, is_down=True),
    ButtonChange(0, is_down=False),
    KeyChange("KeyA", is_down=True),
    KeyChange("KeyA", is_down=False),
    TextEntry("a"),
)


@contextmanager
def plain_settings(_name: str) -> Iterator[InputSettings]:
    yield InputSettings(sink=lambda _action: None)


@contextmanager
def display_settings(name: str) -> Iterator[InputSettings]:
    from tests.fakes.xvfb import running_xvfb

    with running_xvfb() as display:
        yield InputSettings(options=registry.load("inputs", name).Options(display=display))


SETTINGS = {"xtest": display_settings}
BACKENDS = [
    pytest.param(name, marks=[pytest.mark.x11] if name in SETTINGS else []) for name in registry.names("inputs")
]


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest):
    name = available("inputs", request.param)
    with SETTINGS.get(name, plain_settings)(name) as settings:
        backend: InputBackend = registry.load("inputs", name).create(settings)
        yield backend
        backend.close()


async def test_backend_takes_every_kind_of_action(backend):
    assert list(backend.apply(EVERYTHING)) == []


async def test_backend_takes_nothing_at_all(backend):
    assert list(backend.apply(())) == []


async def test_backend_takes_the_longest_text_or_returns_it_whole(backend):
    texts = [TextEntry(letter * MAX_ENTRY_BYTES) for letter in "abc"]

    refused = list(backend.apply(texts))

    assert texts[0] not in refused
    assert set(refused) <= set(texts)


async def test_backend_takes_names_and_numbers_that_it_does_not_know(backend):
    backend.apply([KeyChange("NoSuchKey", is_down=True), KeyChange("NoSuchKey", is_down=False)])
    backend.apply([ButtonChange(4, is_down=True), ButtonChange(4, is_down=False)])


async def test_backend_releases_all_twice(backend):
    backend.apply([KeyChange("ShiftLeft", is_down=True), ButtonChange(2, is_down=True)])

    backend.release_all()
    backend.release_all()


async def test_backend_is_closed_twice_while_something_is_held(backend):
    backend.apply([KeyChange("ShiftLeft", is_down=True)])

    backend.close()
    backend.close()
