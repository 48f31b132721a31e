"""What is typed on the page arrives in a real terminal, and the terminal's answer is seen on the page."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.program import served
from tests.fakes.refusals import (
    DELAY_EVERY_THIRD_KEY,
    HOLD_CHANNEL_OF_KEYS,
    HOLD_KEYS,
    HOLD_SEAT,
    LOSE_EVERY_THIRD_MOTION,
)
from tests.fakes.tab import SIZE, OpenTab, Rgb
from tests.fakes.xvfb import WITHOUT_XVFB, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.x11]

_PASTE = """(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  const keyboard = document.querySelector('render-stream').shadowRoot.querySelector('textarea');
  keyboard.dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true }));
}"""
# Black text on white, or the other way round.
_LEAST_CHANGE = 100


@dataclass
class Terminal:
    """An xterm whose shell writes each line that it reads to a file."""

    url: str
    written: Path

    def lines(self) -> list[str]:
        return self.written.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    for program, reason in (("Xvfb", WITHOUT_XVFB), ("xterm", "xterm is not installed (apt install xterm)")):
        if shutil.which(program) is None:
            pytest.skip(reason)
    folder = tmp_path_factory.mktemp("terminal")
    script, written = folder / "script", folder / "written"
    script.write_text(f"touch {written}\nwhile read -r line; do printf '%s\\n' \"$line\" >>{written}; done\n")
    # One locale for the test, whatever that of the machine: what is not ASCII shall arrive, too.
    environment = {"LC_ALL": "C.UTF-8"}
    arguments = ("--app", f"xterm -fa Monospace -e sh {script}", "--size", str(SIZE))
    with served(*arguments, environment=environment) as server:
        # The desktop can be seen before the terminal is on it, and keys would be for nobody.
        wait_for(written.exists)
        yield Terminal(server.url, written)


def test_typed_text_arrives_in_a_terminal_and_is_seen(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)
    before = tab.pixels().astype(int)

    tab.page.keyboard.type("hello from the browser")

    def has_text(picture: Rgb) -> bool:
        is_changed = np.abs(picture.astype(int) - before).max(axis=2) > _LEAST_CHANGE
        # Characters of a line, side by side: a cursor alone is narrower.
        return int(is_changed.any(axis=0).sum()) > len("hello from the browser")

    tab.wait_for_pixels(has_text)
    tab.page.keyboard.press("Enter")
    wait_for(lambda: "hello from the browser" in terminal.lines())


def test_shift_is_held_while_a_letter_is_typed(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)
    keyboard = tab.page.keyboard

    keyboard.press("Shift+KeyS")
    keyboard.type("treamer ")
    keyboard.press("Shift+Digit1")
    keyboard.press("Enter")

    wait_for(lambda: "Streamer !" in terminal.lines())


def test_text_that_no_key_stands_for_arrives(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)

    tab.page.keyboard.insert_text("grüße, 世界")
    tab.page.keyboard.press("Enter")

    wait_for(lambda: "grüße, 世界" in terminal.lines())


def test_characters_of_altgr_arrive_though_windows_presses_control_with_it(
    terminal: Terminal, open_tab: OpenTab
) -> None:
    tab = open_tab("Object.defineProperty(navigator, 'platform', { get: () => 'Win32' });")
    tab.control(terminal.url)

    # As Windows has it on a German keyboard: Control of its own making, AltGr, the character, and back.
    tab.page.evaluate("""() => {
      const keyboard = document.querySelector('render-stream').shadowRoot.querySelector('textarea');
      const send = (type, code, key, isChosen) => keyboard.dispatchEvent(
        new KeyboardEvent(type, { code, key, ctrlKey: !isChosen, modifierAltGraph: isChosen, cancelable: true }));
      for (const [code, key] of [['KeyQ', '@'], ['KeyE', '€']]) {
        send('keydown', 'ControlLeft', 'Control', false);
        send('keydown', 'AltRight', 'AltGraph', true);
        send('keydown', code, key, true);
        send('keyup', code, key, true);
        send('keyup', 'ControlLeft', 'Control', true);
        send('keyup', 'AltRight', 'AltGraph', false);
      }
    }""")
    tab.page.keyboard.type(" q")
    tab.page.keyboard.press("Enter")

    wait_for(lambda: terminal.lines()[-1:] == ["@€ q"])


def test_paste_that_is_too_long_is_refused_in_words(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)

    tab.page.evaluate(_PASTE, "x" * (32 * 1024 + 1))
    tab.page.locator(".hint").wait_for(state="visible")
    hint = tab.page.locator(".hint").inner_text()
    tab.page.evaluate(_PASTE, "x" * 100)
    tab.page.keyboard.press("Enter")

    wait_for(lambda: terminal.lines()[-1:] == ["x" * 100])
    assert "too long" in hint


def lines_of(letter: str, length: int) -> list[str]:
    """Return lines that are `length` characters together, with their ends: a terminal takes no endless ones."""
    return [f"{letter}{number:05}".ljust(63, letter) for number in range(length // 64)]


def test_pastes_that_fit_together_arrive_whole(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)
    first, second = lines_of("f", 8 * 1024), lines_of("s", 8 * 1024)

    for lines in (first, second):
        tab.page.evaluate(_PASTE, "".join(f"{line}\n" for line in lines))

    wait_for(lambda: terminal.lines()[-len(first + second) :] == first + second)
    assert not tab.page.locator(".hint").is_visible()


def test_paste_for_which_there_is_no_room_is_refused_whole_and_in_words(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)
    longest, refused = lines_of("l", 32 * 1024), lines_of("r", 16 * 1024)

    for lines in (longest, refused):
        tab.page.evaluate(_PASTE, "".join(f"{line}\n" for line in lines))
    tab.page.locator(".hint").wait_for(state="visible")
    hint = tab.page.locator(".hint").inner_text()
    tab.page.keyboard.type("typed after both")
    tab.page.keyboard.press("Enter")

    after = [*longest, "typed after both"]
    wait_for(lambda: terminal.lines()[-len(after) :] == after)
    assert "still being typed" in hint
    assert not set(refused) & set(terminal.lines())


def test_what_is_typed_before_its_channel_is_open_arrives(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab(HOLD_CHANNEL_OF_KEYS)
    tab.control(terminal.url)

    tab.page.keyboard.type("before the channel")
    tab.page.keyboard.press("Enter")
    tab.page.evaluate("() => window.letGo()")

    wait_for(lambda: terminal.lines()[-1:] == ["before the channel"])


def test_what_is_typed_before_the_page_knows_of_its_seat_arrives(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab(HOLD_SEAT)
    tab.watch(terminal.url)
    tab.page.wait_for_function("() => window.held.some(({ event }) => event.data.includes('\"is_holder\":true'))")

    tab.page.keyboard.type("before the seat")
    tab.page.keyboard.press("Enter")

    wait_for(lambda: terminal.lines()[-1:] == ["before the seat"])
    assert tab.ask("player.seat") is None


def test_typed_text_arrives_whole_while_messages_are_lost(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab(DELAY_EVERY_THIRD_KEY, LOSE_EVERY_THIRD_MOTION)
    tab.control(terminal.url)

    tab.page.keyboard.type("each letter arrives, and it arrives once.", delay=20)
    tab.page.keyboard.press("Enter")

    wait_for(lambda: terminal.lines()[-1:] == ["each letter arrives, and it arrives once."])
    assert tab.page.evaluate("() => window.lateKeys") > 0
    assert tab.page.evaluate("() => window.lostMotion") > 0


def test_typed_text_does_not_wait_for_a_lost_message(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab(HOLD_KEYS)
    tab.control(terminal.url)

    tab.page.keyboard.type("no waiting")
    tab.page.keyboard.press("Enter")
    wait_for(lambda: terminal.lines()[-1:] == ["no waiting"])
    tab.page.evaluate("() => window.letGo()")
    tab.page.keyboard.type("and nothing twice")
    tab.page.keyboard.press("Enter")
    wait_for(lambda: terminal.lines()[-1:] == ["and nothing twice"])
    lines = terminal.lines()

    assert lines[-2:] == ["no waiting", "and nothing twice"]


def test_terminal_that_stands_still_after_typing_shows_no_freeze(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)

    # Frames in quick succession, next to which a frame a second looks like a freeze to the browser.
    tab.page.keyboard.type("quick " * 12, delay=30)
    tab.page.keyboard.press("Enter")
    tab.wait_for_statistics(4)
    tab.page.evaluate("() => { window.sample = null; }")
    tab.ask("player.on('statistics', (sample) => { window.sample = sample; }) && null")
    tab.page.wait_for_function("() => window.sample !== null")

    sample = tab.page.evaluate("() => window.sample")
    assert sample["counts"]["freezeCount"] > 0
    assert sample["freezes"] == 0


def test_keys_of_the_page_stay_with_the_page(terminal: Terminal, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(terminal.url)

    tab.page.keyboard.press("Control+Alt+Shift+KeyS")
    tab.page.locator(".overlay").wait_for(state="visible")
    tab.page.keyboard.type("after the shortcut")
    tab.page.keyboard.press("Enter")

    wait_for(lambda: terminal.lines()[-1:] == ["after the shortcut"])
