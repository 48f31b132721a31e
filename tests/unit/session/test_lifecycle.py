# ruff: noqa: ARG001 - the table tests share their parameters
from collections.abc import Mapping
from enum import Enum

import pytest

from streamer.errors import LocalProtocolError
from streamer.session.lifecycle import (
    PEER,
    SESSION,
    VIEWER,
    Lifecycle,
    PeerState,
    PeerTrigger,
    SessionState,
    SessionTrigger,
    ViewerState,
    ViewerTrigger,
)

TABLES = [
    pytest.param(SESSION, SessionState, SessionTrigger, SessionState.NEW, SessionState.ENDED, id="session"),
    pytest.param(VIEWER, ViewerState, ViewerTrigger, ViewerState.CONNECTING, ViewerState.GONE, id="viewer"),
    pytest.param(PEER, PeerState, PeerTrigger, PeerState.NEW, PeerState.CLOSED, id="peer"),
]


def reachable(table: Mapping, start: Enum) -> set[Enum]:
    found, news = {start}, {start}
    while news:
        news = {after for (before, _), after in table.items() if before in news} - found
        found |= news
    return found


@pytest.mark.parametrize(("table", "states", "triggers", "start", "end"), TABLES)
def test_table_reaches_every_state_from_its_start(table, states, triggers, start, end):
    assert reachable(table, start) == set(states)


@pytest.mark.parametrize(("table", "states", "triggers", "start", "end"), TABLES)
def test_table_has_a_way_from_every_state_to_its_end(table, states, triggers, start, end):
    assert all(end in reachable(table, state) for state in states)


@pytest.mark.parametrize(("table", "states", "triggers", "start", "end"), TABLES)
def test_table_has_no_way_out_of_its_end_alone(table, states, triggers, start, end):
    with_a_way_out = {before for before, _ in table}

    assert set(states) - with_a_way_out == {end}


@pytest.mark.parametrize(("table", "states", "triggers", "start", "end"), TABLES)
def test_table_uses_every_trigger(table, states, triggers, start, end):
    assert {trigger for _, trigger in table} == set(triggers)


@pytest.mark.parametrize(("table", "states", "triggers", "start", "end"), TABLES)
def test_lifecycle_refuses_what_the_table_lacks_and_stays(table, states, triggers, start, end):
    for state in states:
        for trigger in triggers:
            lifecycle = Lifecycle(table, state)
            if lifecycle.allows(trigger):
                assert lifecycle.fire(trigger) is lifecycle.state is table[state, trigger]
            else:
                with pytest.raises(LocalProtocolError, match=f"{trigger.value!r} is not allowed while {state.value!r}"):
                    lifecycle.fire(trigger)
                assert lifecycle.state is state
