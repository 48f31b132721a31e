/**
 * The bar at the top of the picture: who is in control, and what can be switched.
 *
 * Shows itself when the stream is there, and hides, except for a handle, once the pointer has left it. Whatever is clicked
 * is done by the element.
 */

import type { Seat } from "../protocol/control";
import { element, icon } from "./dom";

const SHOWN_AT_FIRST_MS = 4000;

const FULLSCREEN = "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5";
const LOCK =
  "M12 3v18M3 12h18M12 3l-2.500 2.500M12 3l2.500 2.500M12 21l-2.500-2.500M12 21l2.500-2.500M3 12l2.500-2.500M3 12l2.500 2.500M21 12l-2.500-2.500M21 12l-2.500 2.500";
const CHART = "M4 20h16M7 16v-5M12 16V5M17 16v-8";
const KEYS = "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8";

export interface BarActions {
  fullscreen(): void;
  lockPointer(): void;
  statistics(): void;
  ctrlAltDelete(): void;
}

export class Bar {
  readonly root: HTMLElement;
  readonly #seat = element("span", { class: "seat", role: "status" });
  readonly #statistics: HTMLButtonElement;
  readonly #lock: HTMLButtonElement;
  readonly #keys: HTMLButtonElement;
  #isIntroduced = false;

  constructor(actions: BarActions) {
    this.#lock = button("Lock the pointer (Esc frees it)", LOCK, actions.lockPointer);
    this.#keys = button("Send Ctrl+Alt+Delete", KEYS, actions.ctrlAltDelete);
    this.#statistics = button("Statistics (Ctrl+Alt+Shift+S)", CHART, actions.statistics);
    const fullscreen = button("Full screen", FULLSCREEN, actions.fullscreen);
    const tools = element("div", { class: "tools", role: "toolbar", "aria-label": "Stream controls" }, this.#seat);
    tools.append(this.#lock, this.#keys, this.#statistics, fullscreen);
    const handle = element("span", { class: "handle" });
    this.root = element("div", { class: "bar" }, tools, handle);
    // A finger cannot hover: a tap on the handle opens the bar, the next tap beside it closes it.
    handle.addEventListener("pointerdown", () => this.root.classList.toggle("open"));
    this.#statistics.setAttribute("aria-pressed", "false");
    this.showSeat(null);
  }

  /** Hide altogether, because a locked pointer cannot reach it, and hovers where it last was. */
  hide(isHidden: boolean): void {
    this.root.hidden = isHidden;
  }

  /** Close what a tap has opened. */
  close(): void {
    this.root.classList.remove("open");
  }

  showSeat(seat: Seat | null): void {
    if (seat !== null && !this.#isIntroduced) this.#introduce();
    const isHolder = seat?.is_holder === true;
    this.#seat.classList.toggle("holder", isHolder);
    this.#seat.hidden = seat === null;
    const others = seat !== null && seat.viewers > 1 ? ` · ${seat.viewers} viewers` : "";
    this.#seat.textContent = `${isHolder ? "In control" : "Watching"}${others}`;
    this.#lock.disabled = !isHolder;
    this.#keys.disabled = !isHolder;
  }

  showStatisticsState(isShown: boolean): void {
    this.#statistics.setAttribute("aria-pressed", String(isShown));
  }

  #introduce(): void {
    this.#isIntroduced = true;
    this.root.classList.add("open");
    setTimeout(() => this.close(), SHOWN_AT_FIRST_MS);
  }
}

function button(label: string, path: string, clicked: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", title: label, "aria-label": label }, icon(path));
  made.addEventListener("click", clicked);
  return made;
}
