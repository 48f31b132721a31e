/** The card in the middle of the picture that says how the connection is doing, while there is something to say. */

import { element } from "./dom";
import type { Notice } from "./wording";

export class NoticeCard {
  readonly root: HTMLElement;
  readonly #title = element("h2");
  readonly #detail = element("p");
  readonly #button = element("button", { type: "button", class: "primary" });
  #shown = "";

  constructor(accepted: () => void) {
    const text = element("div", { role: "status", "aria-live": "polite" }, this.#title, this.#detail);
    const card = element("div", { class: "card" }, element("span", { class: "spinner" }), text, this.#button);
    this.root = element("div", { class: "notice" }, card);
    this.root.hidden = true;
    this.#button.addEventListener("click", accepted);
  }

  show(notice: Notice | null): void {
    const key = JSON.stringify(notice);
    if (key === this.#shown) return;
    this.#shown = key;
    this.root.hidden = notice === null;
    if (notice === null) return;
    this.root.classList.toggle("busy", notice.isBusy);
    this.#title.textContent = notice.title;
    this.#detail.textContent = notice.detail;
    this.#detail.hidden = notice.detail === "";
    this.#button.textContent = notice.offer;
    this.#button.hidden = notice.offer === null;
  }
}
