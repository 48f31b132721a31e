/**
 * Connects a surface of the page to the input of a player: pointer, keyboard, pointer lock, and letting go in time.
 */

import { captureKeyboard } from "./keyboard";
import { capturePointer } from "./pointer";
import type { InputSender } from "./sender";

export interface CaptureTargets {
  /** Gets the pointer events; pointer lock is asked for it. */
  surface: HTMLElement;
  /** Gets the keyboard events while it has the focus. */
  keyboard: HTMLTextAreaElement;
  video: HTMLVideoElement;
}

export class InputCapture {
  readonly #targets: CaptureTargets;

  /** Listen until `signal` says so. */
  constructor(targets: CaptureTargets, input: InputSender, signal: AbortSignal) {
    this.#targets = targets;
    const { surface, keyboard, video } = targets;
    capturePointer({ surface, video, input, isLocked: () => this.isLocked }, signal);
    captureKeyboard(keyboard, input, signal);
    surface.addEventListener("pointerdown", () => this.focus(), { signal });
    // After any of these, releases may go unseen.
    keyboard.addEventListener("blur", () => input.releaseAll(), { signal });
    window.addEventListener("blur", () => input.releaseAll(), { signal });
    window.addEventListener("pagehide", () => input.releaseAll(), { signal });
    document.addEventListener("pointerlockchange", () => this.isLocked || input.releaseAll(), { signal });
  }

  get isLocked(): boolean {
    const { surface } = this.#targets;
    return (surface.getRootNode() as Document | ShadowRoot).pointerLockElement === surface;
  }

  focus(): void {
    this.#targets.keyboard.focus({ preventScroll: true });
  }

  /** Lock the pointer to the surface: without acceleration where the browser can, else as it comes. */
  async lock(): Promise<void> {
    const { surface } = this.#targets;
    this.focus();
    try {
      await surface.requestPointerLock({ unadjustedMovement: true });
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotSupportedError") await surface.requestPointerLock();
      // Else the viewer left the lock a moment ago, or the page may not: then the pointer stays free.
    }
  }
}
