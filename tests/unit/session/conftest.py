"""A small session for each test that asks for one."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.session import SessionRig, open_session


@pytest.fixture
async def rig() -> AsyncIterator[SessionRig]:
    async with open_session() as rig:
        yield rig
