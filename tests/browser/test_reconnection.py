"""A page comes back by itself: after the server has been restarted, and after its socket alone was cut."""

import os
import signal
from urllib.parse import urlsplit

import pytest

from streamer.bench.served import ServedProcess
from tests.fakes.program import served
from tests.fakes.relay import relay
from tests.fakes.tab import SIZE, OpenTab, Tab

pytestmark = pytest.mark.browser

_PATTERN = ("--source", "pattern", "--size", str(SIZE))
# All states and words that the page goes through, and not only those that a look from time to time would find.
_NOTE_STATES = """() => {
  const element = document.querySelector('render-stream');
  const card = element.shadowRoot.querySelector('.notice');
  window.states = [];
  window.titles = [];
  element.player.on('state', ({ state }) => window.states.push(state));
  const note = () => card.hidden || window.titles.push(card.querySelector('h2').textContent);
  new MutationObserver(note).observe(card, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def watch_closely(tab: Tab, url: str) -> None:
    tab.control(url)
    tab.page.evaluate(_NOTE_STATES)


def wait_for_return(tab: Tab) -> None:
    tab.page.wait_for_function("() => window.states.at(-1) === 'connected' && window.states.length > 1")
    tab.wait_for_picture()
    tab.wait_for_frames(3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_page_comes_back_after_a_restart_and_says_what_it_does(open_tab: OpenTab, number: signal.Signals) -> None:
    tab = open_tab()
    with ServedProcess(*_PATTERN) as first:
        port = urlsplit(first.url).port
        watch_closely(tab, first.url)

        os.kill(first.pid, number)
        first.stop()
        tab.page.locator(".notice").wait_for(state="visible")
        tab.wait_until("player.view.state === 'waiting'")

    with served(*_PATTERN, "--port", str(port)) as second:
        wait_for_return(tab)
        tab.wait_for_seat(is_holder=True)
        assert any(title.startswith("Reconnecting") for title in tab.page.evaluate("() => window.titles"))
        assert tab.stamp() is not None
        assert second.url == first.url


def test_page_keeps_the_last_picture_while_the_server_is_away(open_tab: OpenTab) -> None:
    tab = open_tab()
    with ServedProcess(*_PATTERN) as server:
        watch_closely(tab, server.url)

        os.kill(server.pid, signal.SIGKILL)
        tab.page.locator(".stale").wait_for()

        # Darker than it was, but not black: the picture of a closed track would be.
        shown = tab.shown()
        assert int(shown[-60:].max()) > 40


def test_cut_socket_is_resumed_and_keeps_the_seat(open_tab: OpenTab) -> None:
    holder, other = open_tab(), open_tab()
    with served(*_PATTERN) as server, relay(server.url) as wire:
        watch_closely(holder, wire.url)
        other.watch(server.url)
        other.wait_for_seat(is_holder=False)
        other.page.evaluate("() => { window.seats = []; }")
        other.ask("player.on('seat', ({ is_holder }) => window.seats.push(is_holder)) && null")

        wire.cut()
        wait_for_return(holder)

        holder.wait_for_seat(is_holder=True)
        assert holder.ask("player.seat.viewers") == 2
        assert not any(other.page.evaluate("() => window.seats"))
        assert not other.ask("player.seat.is_holder")


def test_viewer_can_try_at_once_instead_of_waiting(open_tab: OpenTab) -> None:
    tab = open_tab()
    with ServedProcess(*_PATTERN) as server:
        watch_closely(tab, server.url)
        os.kill(server.pid, signal.SIGKILL)
    tab.button("Try now").wait_for(state="attached")

    # In one step, because the wait for the next attempt may end between two.
    after = tab.page.wait_for_function("""() => {
      const { player, shadowRoot } = document.querySelector('render-stream');
      if (player.view.state !== 'waiting') return null;
      shadowRoot.querySelector('.notice button').click();
      return player.view.state;
    }""")

    assert after.json_value() == "opening"
