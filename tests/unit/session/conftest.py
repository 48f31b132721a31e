"""A small session, a seat with two viewers, or controls, for each test that asks for one."""

from collections.abc import AsyncIterator

import pytest

from streamer.session.controls import Controls
from tests.fakes.seat import SeatRig
from tests.fakes.session import SessionRig, open_session


@pytest.fixture
async def rig() -> AsyncIterator[SessionRig]:
    async with open_session() as rig:
        yield rig


@pytest.fixture
def pair() -> SeatRig:
    rig = SeatRig()
    rig.seat.join("ann")
    rig.seat.join("bob")
    return rig


@pytest.fixture
def controls() -> Controls:
    return Controls()
