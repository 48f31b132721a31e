/** The parts of `<render-stream>`: the surface with the picture, the keyboard's target, and the controls over them. */

import type { ConnectionView } from "../transport/connector";
import { Bar, type BarActions } from "./bar";
import { element } from "./dom";
import { Hint } from "./hint";
import { NoticeCard } from "./notice";
import { Overlay } from "./overlay";
import { elementStyles } from "./styles";
import { noticeOf } from "./wording";

export interface ViewActions extends BarActions {
  /** Do what the button of the notice offers. */
  accept(): void;
}

export class View {
  readonly video: HTMLVideoElement;
  readonly keyboard = element("textarea", {
    "aria-label": "Keyboard input for the stream",
    autocapitalize: "off",
    autocomplete: "off",
    autocorrect: "off",
    spellcheck: "false",
    inputmode: "none",
  });
  readonly overlay = new Overlay();
  readonly hint = new Hint();
  readonly bar: Bar;
  readonly surface: HTMLElement;
  /** Keeps the last picture of a lost connection: browsers show black when a track ends. */
  readonly #still = element("canvas", { "aria-hidden": "true" });
  readonly #notice: NoticeCard;
  #isBlocked = false;
  #hasPicture = false;

  constructor(video: HTMLVideoElement, actions: ViewActions) {
    this.video = video;
    this.surface = element("div", { class: "surface" }, video, this.#still);
    this.bar = new Bar(actions);
    this.#notice = new NoticeCard(() => actions.accept());
  }

  /** Whether the browser waits for a gesture before it plays. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  fill(root: ShadowRoot): void {
    root.adoptedStyleSheets = [elementStyles()];
    const layers = [this.overlay, this.hint, this.#notice, this.bar].map(({ root }) => root);
    root.replaceChildren(this.surface, this.keyboard, ...layers);
  }

  block(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
  }

  firstFrame(): void {
    this.#hasPicture = true;
  }

  /** Copy the picture, which is about to turn black. */
  keepPicture(): void {
    const { videoWidth, videoHeight } = this.video;
    if (!this.#hasPicture || videoWidth === 0) return;
    this.#still.width = videoWidth;
    this.#still.height = videoHeight;
    this.#still.getContext("2d")?.drawImage(this.video, 0, 0);
  }

  /** Show how the connection is doing. */
  render(view: ConnectionView): void {
    if (view.state !== "connected") this.#hasPicture = false;
    const isBlocked = this.#isBlocked;
    const hasPicture = this.#hasPicture;
    this.#notice.show(noticeOf({ view, isBlocked, hasPicture, nowMs: performance.now() }));
    this.surface.classList.toggle("stale", view.hasConnected && !hasPicture);
  }
}
