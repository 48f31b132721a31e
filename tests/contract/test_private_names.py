"""The private names of the libraries underneath the transport, as they are installed here."""

import pytest

from streamer.errors import TransportError
from streamer.transport import guard


def test_installed_libraries_are_what_the_transport_was_written_for():
    guard.check_libraries.cache_clear()

    guard.check_libraries()


@pytest.mark.parametrize("version", ["1.15.0", "1.17.0", "2.0"])
def test_another_version_is_named(monkeypatch, version):
    guard.check_libraries.cache_clear()
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)

    with pytest.raises(TransportError, match=rf"version {version} is installed"):
        guard.check_libraries()

    monkeypatch.undo()
    guard.check_libraries()


def test_name_that_is_gone_is_named():
    with pytest.raises(TransportError, match=r"Connection\.gather_candidates does not mention get_all_candidates"):
        guard.check_mentions("aioice.ice", "Connection.gather_candidates", ["get_all_candidates"])


def test_function_that_is_gone_is_named():
    with pytest.raises(TransportError, match=r"there is no Connection\.gather_everything"):
        guard.check_mentions("aioice.ice", "Connection.gather_everything", [])
