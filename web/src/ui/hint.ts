/** A sentence at the lower edge of the picture that goes away by itself: for what was not done, and why. */

import { element } from "./dom";

// Long enough to read two lines, twice.
const SHOWN_MS = 8000;

export class Hint {
  readonly root = element("p", { class: "hint", role: "status" });
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.root.hidden = true;
  }

  show(text: string): void {
    clearTimeout(this.#timer);
    this.root.textContent = text;
    this.root.hidden = false;
    this.#timer = setTimeout(() => {
      this.root.hidden = true;
    }, SHOWN_MS);
  }
}
