"""A browser tab that shows the page: what it displays, what it asks for, and what goes wrong in it."""

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

from streamer.media.frame import Resolution
from streamer.media.stamp import Stamp, block_px, decode, sample_columns_px
from tests.fakes.xvfb import wait_for

SIZE = Resolution(640, 360)
Rgb: TypeAlias = npt.NDArray[np.uint8]
OpenTab: TypeAlias = "Callable[..., Tab]"

_PLAYER = "document.querySelector('render-stream').player"
# A loaded machine takes its time; a page that never gets there takes longer.
_LIMIT_MS = 20_000

# What the policy refuses is reported to the document, and not always to the console.
_NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.violatedDirective} refused ${event.blockedURI}`);
});
"""

# The picture as the browser would show it: the browser itself turns luma and chroma into RGB.
_READ_PIXELS = """async () => {
  const frame = new VideoFrame(PLAYER.video);
  const { width, height } = frame.visibleRect;
  const pixels = new Uint8Array(width * height * 4);
  await frame.copyTo(pixels, { format: 'RGBX', layout: [{ offset: 0, stride: width * 4 }] });
  frame.close();
  let text = '';
  for (let at = 0; at < pixels.length; at += 32768) text += String.fromCharCode(...pixels.subarray(at, at + 32768));
  return [width, height, btoa(text)];
}""".replace("PLAYER", _PLAYER)

_READ_LUMA = """async ({ columns, row }) => {
  const frame = new VideoFrame(PLAYER.video);
  const luma = new Uint8Array(frame.allocationSize());
  const [plane] = await frame.copyTo(luma);
  const format = frame.format;
  frame.close();
  if (format !== 'I420' && format !== 'NV12') throw new Error(`no plane of luma in ${format}`);
  return columns.map((column) => luma[plane.offset + row * plane.stride + column]);
}""".replace("PLAYER", _PLAYER)


@dataclass
class Tab:
    """One tab in a profile of its own."""

    page: Page
    size: Resolution
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(_LIMIT_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._requested)
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.add_init_script(_NOTE_VIOLATIONS)

    def open(self, url: str) -> None:
        self.page.goto(url)

    def watch(self, url: str) -> None:
        """Open the page and wait for its picture."""
        self.open(url)
        self.wait_for_picture()

    def control(self, url: str) -> None:
        """Open the page and wait until it holds the seat."""
        self.watch(url)
        self.wait_for_seat(is_holder=True)

    def ask(self, expression: str) -> Any:
        """Return what an expression about `player` is."""
        return self.page.evaluate(f"() => {{ const player = {_PLAYER}; return {expression}; }}")

    def wait_until(self, expression: str) -> None:
        """Wait until an expression about `player`, which may not be there yet, holds."""
        self.page.wait_for_function(
            "() => { const player = document.querySelector('render-stream')?.player;"
            f" return Boolean(player) && Boolean({expression}); }}"
        )

    def wait_for_picture(self) -> None:
        """Wait until a frame of the present connection can be seen, and nothing lies over it."""
        self.wait_until("player.view.state === 'connected' && player.video.videoWidth > 0")
        self.page.locator(".notice").wait_for(state="hidden")

    def wait_for_seat(self, *, is_holder: bool) -> None:
        self.wait_until(f"player.seat?.is_holder === {str(is_holder).lower()}")
        if is_holder:
            self.wait_until("player.input.isEnabled")

    def wait_for_frames(self, count: int) -> None:
        """Wait until so many frames more have been decoded."""
        self.page.evaluate(
            f"""(count) => new Promise((resolve) => {{
              const video = {_PLAYER}.video;
              const next = () => (count-- > 0 ? video.requestVideoFrameCallback(next) : resolve());
              next();
            }})""",
            count,
        )

    def wait_for_statistics(self, count: int) -> None:
        """Wait until so many samples more have been taken; each one is a second."""
        self.page.evaluate(
            f"""(count) => new Promise((resolve) => {{
              const stop = {_PLAYER}.on('statistics', () => {{
                count -= 1;
                if (count === 0) resolve(stop());
              }});
            }})""",
            count,
        )

    def state(self) -> str:
        return str(self.ask("player.view.state"))

    def notice(self) -> str:
        """Return what the card in the middle says."""
        return self.page.locator(".notice [role=status]").inner_text()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def violations(self) -> list[str]:
        return [str(each) for each in self.page.evaluate("() => window.violations")]

    def pixels(self) -> Rgb:
        """Return the picture of this moment as rows of RGB."""
        width_px, height_px, text = self.page.evaluate(_READ_PIXELS)
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height_px, width_px, 4)[:, :, :3]

    def shown(self) -> Rgb:
        """Return what the window shows, controls included, as rows of RGB."""
        with Image.open(io.BytesIO(self.page.screenshot())) as picture:
            return np.asarray(picture.convert("RGB"))

    def stamp(self) -> Stamp | None:
        """Return what the stamp in the picture of this moment says."""
        columns = list(sample_columns_px(self.size))
        return decode(self.page.evaluate(_READ_LUMA, {"columns": columns, "row": block_px(self.size) // 2}))

    def wait_for_pixels(self, is_right: Callable[[Rgb], bool]) -> None:
        wait_for(lambda: is_right(self.pixels()))

    def move(self, x: float, y: float) -> None:
        """Point at a pixel of the picture, which fills the window at its own size."""
        self.page.mouse.move(x, y)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)


@contextmanager
def tabs(browser: Browser) -> Iterator[OpenTab]:
    """Yield what opens a tab; all of them are closed at the end."""
    contexts = []

    def open_tab(*scripts: str, size: Resolution = SIZE) -> Tab:
        context = browser.new_context(viewport={"width": size.width_px, "height": size.height_px})
        contexts.append(context)
        tab = Tab(context.new_page(), size)
        for script in scripts:
            tab.page.add_init_script(script)
        return tab

    try:
        yield open_tab
    finally:
        for context in contexts:
            context.close()


def largest_difference(one: Rgb, other: Sequence[int] | Rgb) -> float:
    """Return by how much, out of 255, the mean colour of `one` is off."""
    return float(np.abs(one.reshape(-1, 3).mean(axis=0) - np.asarray(other, float)).max())
