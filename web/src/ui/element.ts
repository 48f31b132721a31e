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
import { Bar } from "./bar";
import { element } from "./dom";
import { NoticeCard } from "./notice";
import { Overlay } from "./overlay";
import { elementStyles } from "./styles";
import { takeToken } from "./token";
import { noticeOf } from "./wording";

// The countdown to the next attempt changes once a second; a quarter of that keeps it honest.
const COUNTDOWN_PERIOD_MS = 250;

export class RenderStream extends HTMLElement {
  /** The viewer's secret; the page's fragment `#token=...` is looked at where this is null. */
  token: string | null = null;
  #player: Player | null = null;
  #capture: InputCapture | null = null;
  #lifetime: AbortController | null = null;
  readonly #video = element("video");
  /** Keeps the last picture of a lost connection: browsers show black when a track ends. */
  readonly #still = element("canvas", { "aria-hidden": "true" });
  readonly #surface = element("div", { class: "surface" }, this.#video, this.#still);
  readonly #keyboard = element("textarea", {
    "aria-label": "Keyboard input for the stream",
    autocapitalize: "off",
    autocomplete: "off",
    autocorrect: "off",
    spellcheck: "false",
    inputmode: "none",
  });
  readonly #overlay = new Overlay();
  readonly #notice = new NoticeCard(() => this.#accept());
  readonly #bar = new Bar({
    fullscreen: () => void this.#toggleFullscreen(),
    lockPointer: () => void this.#capture?.lock(),
    statistics: () => this.#toggleStatistics(),
    ctrlAltDelete: () => this.#player?.input.chord(["ControlLeft", "AltLeft", "Delete"]),
  });
  #isBlocked = false;
  #hasPicture = false;

  /** The core: connection, picture, input and events. Null until the element is in a document. */
  get player(): Player | null {
    return this.#player;
  }

  connectedCallback(): void {
    // First of all: everything else can be done while the server is being reached.
    const player = new Player({
      signaling: this.getAttribute("signaling") ?? "/signaling",
      token: this.token ?? takeToken(window),
      video: this.#video,
    });
    this.#player = player;
    player.open();
    this.#build(player);
    this.#follow(player);
    this.#render();
  }

  disconnectedCallback(): void {
    this.#lifetime?.abort();
    this.#capture?.close();
    this.#player?.close();
    this.#player = null;
  }

  #build(player: Player): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [elementStyles()];
    root.replaceChildren(this.#surface, this.#keyboard, this.#overlay.root, this.#notice.root, this.#bar.root);
    const targets = { surface: this.#surface, keyboard: this.#keyboard, video: this.#video };
    this.#capture = new InputCapture(targets, player.input);
    if (this.hasAttribute("takes-keyboard")) this.#capture.focus();
  }

  #follow(player: Player): void {
    player.on("state", (view) => {
      if (view.state !== "connected") this.#hasPicture = false;
      if (player.seat === null) this.#bar.showSeat(null);
      this.#render();
    });
    player.on("disconnecting", () => this.#keepPicture());
    player.on("firstframe", () => {
      this.#hasPicture = true;
      this.#render();
    });
    player.on("blocked", (isBlocked) => {
      this.#isBlocked = isBlocked;
      this.#render();
    });
    player.on("seat", (seat) => this.#bar.showSeat(seat));
    player.on("stream", (stream) => this.#overlay.showStream(stream));
    player.on("statistics", (sample) => this.#overlay.showSample(sample));
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    this.addEventListener("keydown", (event) => this.#shortcut(event), { signal });
    this.#surface.addEventListener("pointerdown", () => this.#bar.close(), { signal });
    document.addEventListener("pointerlockchange", () => this.#bar.hide(this.#capture?.isLocked ?? false), { signal });
    document.addEventListener("fullscreenchange", () => this.#fullscreenChanged(), { signal });
    window.addEventListener("pagehide", () => player.close(), { signal });
    // A page that comes back from the browser's memory has lost its connection.
    window.addEventListener("pageshow", (event) => event.persisted && player.open(), { signal });
    const countdown = setInterval(() => this.#render(), COUNTDOWN_PERIOD_MS);
    signal.addEventListener("abort", () => clearInterval(countdown));
  }

  #render(): void {
    const player = this.#player;
    if (player === null) return;
    const { view } = player;
    const moment = { view, isBlocked: this.#isBlocked, hasPicture: this.#hasPicture, nowMs: performance.now() };
    this.#notice.show(noticeOf(moment));
    this.#surface.classList.toggle("stale", view.hasConnected && !this.#hasPicture);
  }

  #keepPicture(): void {
    const { videoWidth, videoHeight } = this.#video;
    if (!this.#hasPicture || videoWidth === 0) return;
    this.#still.width = videoWidth;
    this.#still.height = videoHeight;
    this.#still.getContext("2d")?.drawImage(this.#video, 0, 0);
  }

  /** Do what the button of the notice offers. */
  #accept(): void {
    if (this.#isBlocked && this.#player?.view.state === "connected") this.#player.play();
    else this.#player?.open();
    this.#capture?.focus();
  }

  #shortcut(event: KeyboardEvent): void {
    if (!isStatisticsShortcut(event)) return;
    event.preventDefault();
    if (!event.repeat) this.#toggleStatistics();
  }

  #toggleStatistics(): void {
    this.#overlay.toggle();
    this.#bar.showStatisticsState(this.#overlay.isShown);
    this.#capture?.focus();
  }

  async #toggleFullscreen(): Promise<void> {
    this.#capture?.focus();
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
