"""Who may watch: the token in the fragment of the address, and what a page says without one."""

import re
from collections.abc import Iterator

import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.program import served
from tests.fakes.tab import SIZE, OpenTab, Tab

pytestmark = pytest.mark.browser

_TOKEN = "correct-horse-battery-staple-7"


@pytest.fixture(scope="module")
def locked() -> Iterator[ServedProcess]:
    arguments = ("--source", "pattern", "--size", str(SIZE))
    # The log must not know the secret even where it tells everything.
    environment = {"STREAMER__SERVER__TOKEN": _TOKEN, "STREAMER__LOG__LEVEL": "debug"}
    with served(*arguments, environment=environment) as running:
        yield running
    log = [line for line in running.output.splitlines() if not line.startswith("Open http")]
    assert not any(_TOKEN in line for line in log)


def address(server: ServedProcess, token: str | None) -> str:
    bare = server.url.split("#")[0]
    return bare if token is None else f"{bare}#token={token}"


def sockets(tab: Tab) -> int:
    """Return how often the page has dialled."""
    return sum(request.startswith("ws") for request in tab.requests)


def test_right_token_lets_in_and_leaves_the_address(locked: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()

    tab.watch(address(locked, _TOKEN))

    assert tab.page.url == address(locked, None)
    assert not any(_TOKEN in request for request in tab.requests)


def test_reload_needs_no_second_token(locked: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.watch(address(locked, _TOKEN))

    tab.page.reload()

    tab.wait_for_picture()


@pytest.mark.parametrize("token", ["wrong-horse-battery-staple-7", None], ids=["wrong", "missing"])
def test_other_tokens_are_refused_in_words_and_not_tried_again(
    locked: ServedProcess, open_tab: OpenTab, token: str | None
) -> None:
    tab = open_tab()
    # Time stands still but for this test, which lets more of it pass than the longest wait of a reconnection.
    tab.page.clock.install()

    tab.open(address(locked, token))
    tab.page.clock.resume()
    tab.wait_until("player.view.state === 'stopped'")
    tab.page.clock.fast_forward("01:00")

    assert re.search(r"\btoken\b", tab.notice())
    assert tab.button("Connect again").is_visible()
    assert tab.state() == "stopped"
    assert sockets(tab) == 1


def test_invitation_that_the_server_prints_lets_in(locked: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()

    tab.watch(locked.url)

    assert tab.state() == "connected"


def test_token_of_a_link_that_is_opened_in_the_same_tab_lets_in(locked: ServedProcess, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.open(address(locked, "wrong-horse-battery-staple-7"))
    tab.wait_until("player.view.state === 'stopped'")

    tab.open(address(locked, _TOKEN))
    tab.wait_for_picture()
    tab.open(address(locked, _TOKEN))
    tab.page.wait_for_url(address(locked, None))

    assert tab.state() == "connected"
    assert sockets(tab) == 2
