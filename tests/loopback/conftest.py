"""One connected pair per test, closed at its end."""

from collections.abc import AsyncIterator

import pytest

from tests.loopback.viewer import Observer, Viewer, join, make_peer


@pytest.fixture
async def observer() -> Observer:
    return Observer()


@pytest.fixture
async def peer(observer):
    peer = make_peer(observer)
    yield peer
    await peer.close()


@pytest.fixture
async def viewer() -> AsyncIterator[Viewer]:
    viewer = Viewer()
    yield viewer
    await viewer.close()


@pytest.fixture
async def joined(peer, viewer):
    await join(peer, viewer)
    return peer, viewer
