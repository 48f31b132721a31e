import logging
import sys

import pytest

from streamer.errors import ConfigError
from streamer.inputs import callback
from streamer.inputs.base import InputSettings
from streamer.protocol.actions import ButtonChange, KeyChange, PointerMove, TextEntry


@pytest.fixture
def heard():
    return []


@pytest.fixture
def backend(heard):
    return callback.create(InputSettings(sink=heard.append))


def test_actions_arrive_in_order(backend, heard):
    actions = [PointerMove(1, 2), ButtonChange(0, is_down=True), TextEntry("x"), ButtonChange(0, is_down=False)]

    backend.apply(actions)

    assert heard == actions


def test_release_all_lets_go_of_what_is_down_in_the_order_it_went_down(backend, heard):
    backend.apply([KeyChange("KeyB", is_down=True), ButtonChange(2, is_down=True), KeyChange("KeyA", is_down=True)])
    backend.apply([KeyChange("KeyB", is_down=False), KeyChange("KeyA", is_down=True), PointerMove(0, 0)])
    heard.clear()

    backend.release_all()
    backend.release_all()

    assert heard == [ButtonChange(2, is_down=False), KeyChange("KeyA", is_down=False)]


def test_close_lets_go_of_what_is_down_once(backend, heard):
    backend.apply([KeyChange("KeyA", is_down=True)])

    backend.close()
    backend.close()

    assert heard[1:] == [KeyChange("KeyA", is_down=False)]


def test_mistake_of_the_function_is_logged_once_and_loses_nothing_else(caplog):
    heard = []

    def sink(action):
        heard.append(action)
        if action in (KeyChange("KeyA", is_down=True), KeyChange("KeyB", is_down=True)):
            raise RuntimeError("no keys today")

    backend = callback.create(InputSettings(sink=sink))

    with caplog.at_level(logging.INFO):
        backend.apply([KeyChange("KeyA", is_down=True), KeyChange("KeyB", is_down=True)])
        backend.release_all()
        backend.apply([PointerMove(0, 0)])

    assert len(heard) == 5
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.INFO]
    assert caplog.records[0].exc_info is not None


def test_another_mistake_is_logged_again(caplog):
    messages = iter(["first", "first", "second"])

    def sink(_action):
        raise RuntimeError(next(messages))

    backend = callback.create(InputSettings(sink=sink))

    backend.apply([PointerMove(0, 0)] * 3)

    assert [str(record.exc_info[1]) for record in caplog.records] == ["first", "second"]


def test_function_that_calls_for_an_exit_ends_nothing(caplog):
    backend = callback.create(InputSettings(sink=sys.exit))

    backend.apply([PointerMove(0, 0)])

    assert "was lost because the function that takes it failed" in caplog.text


def test_source_that_takes_no_input_is_refused():
    with pytest.raises(ConfigError, match="needs a source that answers input"):
        callback.create(InputSettings())
