/** What browsers have and TypeScript's library of the DOM does not know. */

interface Keyboard {
  lock(codes?: readonly string[]): Promise<void>;
  unlock(): void;
}

interface Navigator {
  /** Chromium, secure contexts only. */
  readonly keyboard?: Keyboard;
}
