/**
 * How long to wait before the next attempt to reconnect: almost not at all at first, then longer, with full jitter.
 *
 * Pure: told the time, handed its randomness. Full jitter keeps a crowd of viewers from coming back in step after the
 * server restarts.
 */

// A server that merely dropped this connection should be back in sight at once.
const FIRST_DELAY_MS = 100;
const BASE_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;
// A connection that lasted this long was a success: the next loss is a new story.
const SUCCESS_AFTER_MS = 5000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;
  #connectedAtMs: number | null = null;

  /** `random` returns numbers from 0 to 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  connected(nowMs: number): void {
    this.#connectedAtMs = nowMs;
  }

  /** Return how long to wait after the loss that was just seen. */
  nextDelayMs(nowMs: number): number {
    if (this.#connectedAtMs !== null && nowMs - this.#connectedAtMs >= SUCCESS_AFTER_MS) this.#failures = 0;
    this.#connectedAtMs = null;
    this.#failures += 1;
    if (this.#failures === 1) return FIRST_DELAY_MS;
    const ceilingMs = Math.min(LONGEST_DELAY_MS, BASE_DELAY_MS * 2 ** (this.#failures - 2));
    return FIRST_DELAY_MS + this.#random() * (ceilingMs - FIRST_DELAY_MS);
  }

  /** Start afresh: the viewer asked for it. */
  reset(): void {
    this.#failures = 0;
    this.#connectedAtMs = null;
  }
}
