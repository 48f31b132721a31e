/**
 * `<render-stream>`: a player with its controls, as a custom element.
 *
 * Attributes: `signaling`, the address of the server's signaling as seen from the page (`/signaling` if absent);
 * `takes-keyboard`, to have the focus at once. Properties: `token`, before the element is connected, for pages that have
 * it otherwise than in their fragment; `player`, once it is connected.
 */

import { InputCapture } from "../input/capture";
import { isStatisticsShortcut } from "../input/keyboard";
import { Player } from "../player";
import { takeNewToken, takeToken } from "./token";
import { View } from "./view";
import { hintOf } from "./wording";

// The countdown to the next attempt changes once a second; a quarter of that keeps it honest.
const COUNTDOWN_PERIOD_MS = 250;
// A server that takes longer than this to answer should be waited for with something to look at.
const BUILD_LIMIT_MS = 200;

export class RenderStream extends HTMLElement {
  /** The viewer's secret; the page's fragment `#token=...` is looked at where this is null. */
  token: string | null = null;
  #player: Player | null = null;
  #lifetime: AbortController | null = null;

  /** The core: connection, picture, input and events. Null while the element is in no document. */
  get player(): Player | null {
    return this.#player;
  }

  connectedCallback(): void {
    const player = new Player({
      signaling: this.getAttribute("signaling") ?? "/signaling",
      token: this.token ?? takeToken(window),
    });
    player.open();
    this.#player = player;
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    if (this.token === null) window.addEventListener("hashchange", () => followFragment(player), { signal });
    this.#whenIdle(player, signal);
  }

  /** Build the controls while the first frame is being made: earlier they would hold up the connection, by 50 ms or so. */
  #whenIdle(player: Player, signal: AbortSignal): void {
    const build = () => {
      clearTimeout(timer);
      stop();
      if (!signal.aborted) this.#build(player, signal);
    };
    const timer = setTimeout(build, BUILD_LIMIT_MS);
    const stop = player.on("state", ({ state }) => state === "connected" && build());
  }

  #build(player: Player, signal: AbortSignal): void {
    const view: View = new View(player.video, {
      fullscreen: () => void this.#toggleFullscreen(capture),
      lockPointer: () => void capture.lock(),
      statistics: () => toggleStatistics(view, capture),
      ctrlAltDelete: () => player.input.chord(["ControlLeft", "AltLeft", "Delete"]),
      accept: () => accept(player, view, capture),
    });
    view.fill(this.shadowRoot ?? this.attachShadow({ mode: "open" }));
    const capture = new InputCapture(view, player.input, signal);
    if (this.hasAttribute("takes-keyboard")) capture.focus();
    follow(player, view, signal);
    this.#listen(player, view, capture, signal);
  }

  disconnectedCallback(): void {
    this.#lifetime?.abort();
    this.#player?.close();
    this.#player = null;
  }

  #listen(player: Player, view: View, capture: InputCapture, signal: AbortSignal): void {
    const shortcut = (event: KeyboardEvent) => {
      if (!isStatisticsShortcut(event)) return;
      event.preventDefault();
      if (!event.repeat) toggleStatistics(view, capture);
    };
    this.addEventListener("keydown", shortcut, { signal });
    view.surface.addEventListener("pointerdown", () => view.bar.close(), { signal });
    document.addEventListener("pointerlockchange", () => view.bar.hide(capture.isLocked), { signal });
    document.addEventListener("fullscreenchange", () => this.#fullscreenChanged(), { signal });
    window.addEventListener("pagehide", () => player.close(), { signal });
    // A page that comes back from the browser's memory has lost its connection.
    window.addEventListener("pageshow", (event) => event.persisted && player.open(), { signal });
  }

  async #toggleFullscreen(capture: InputCapture): Promise<void> {
    capture.focus();
    // A refusal leaves things as they are, which is visible enough.
    if (document.fullscreenElement === this) await document.exitFullscreen().catch(() => undefined);
    else await this.requestFullscreen({ navigationUI: "hide" }).catch(() => undefined);
  }

  /** In full screen the page may have the keys that the browser and the desktop otherwise keep. */
  #fullscreenChanged(): void {
    if (document.fullscreenElement === this) navigator.keyboard?.lock().catch(() => undefined);
    else navigator.keyboard?.unlock();
  }
}

/** Use the token of a link that was opened in this tab: the browser takes such a link for a place within the page. */
function followFragment(player: Player): void {
  const token = takeNewToken(window);
  if (token !== null) player.enter(token);
}

/** Show what happens to the player. */
function follow(player: Player, view: View, signal: AbortSignal): void {
  const render = () => view.render(player.view);
  player.on("state", () => {
    if (player.seat === null) view.bar.showSeat(null);
    render();
  });
  player.on("disconnecting", () => view.keepPicture());
  player.on("firstframe", () => {
    view.firstFrame();
    render();
  });
  player.on("blocked", (isBlocked) => {
    view.block(isBlocked);
    render();
  });
  player.on("seat", (seat) => view.bar.showSeat(seat));
  player.on("textrefused", (refusal) => view.hint.show(hintOf(refusal)));
  player.on("stream", (stream) => view.overlay.showStream(stream));
  player.on("statistics", (sample) => view.overlay.showSample(sample));
  const countdown = setInterval(render, COUNTDOWN_PERIOD_MS);
  signal.addEventListener("abort", () => clearInterval(countdown));
  render();
}

/** Do what the notice offers: play, or connect. */
function accept(player: Player, view: View, capture: InputCapture): void {
  if (view.isBlocked && player.view.state === "connected") player.play();
  else player.open();
  capture.focus();
}

function toggleStatistics(view: View, capture: InputCapture): void {
  view.overlay.toggle();
  view.bar.showStatisticsState(view.overlay.isShown);
  capture.focus();
}
