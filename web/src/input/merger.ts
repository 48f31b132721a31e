/**
 * Merges motion: at most one message of a kind per 4 ms, the newest wins, and the end of a movement is repeated.
 *
 * The channel `motion` loses messages; the repeats (README of the protocol, Input) make sure that the last one arrives.
 * Knows nothing of events and of sequence numbers: `send` gives each message, repeats included, a new one. A recap has no
 * content here: what it says is known when it is sent.
 */

import type { Motion } from "../protocol/input";

const INTERVAL_MS = 4;
// After the last change of a kind.
const REPEATS_AFTER_MS = [50, 150] as const;

export type Merged = Motion | { type: "recap" };

type Send = (message: Merged) => void;
type Kind = Merged["type"];

export class MotionMerger {
  readonly #send: Send;
  readonly #lanes = new Map<Kind, Lane>();

  constructor(send: Send) {
    this.#send = send;
  }

  /** Send `message` as soon as its kind may speak again; it takes the place of one that still waits. */
  push(message: Merged): void {
    let lane = this.#lanes.get(message.type);
    if (lane === undefined) {
      lane = new Lane(this.#send);
      this.#lanes.set(message.type, lane);
    }
    lane.push(message);
  }

  /** Forget what waits of this kind, because a reliable message has carried something newer. */
  forget(kind: Kind): void {
    this.#lanes.get(kind)?.clear();
  }

  /** Forget all motion that waits. A recap is of what came before, and stays. */
  forgetMotion(): void {
    for (const [kind, lane] of this.#lanes) if (kind !== "recap") lane.clear();
  }

  clear(): void {
    for (const lane of this.#lanes.values()) lane.clear();
  }
}

/** The messages of one kind. */
class Lane {
  readonly #send: Send;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #waiting: Merged | null = null;
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(send: Send) {
    this.#send = send;
  }

  push(message: Merged): void {
    const isArranged = this.#waiting !== null;
    this.#waiting = message;
    if (isArranged) return;
    const waitMs = this.#sentAtMs + INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.#flush();
    // Timers of a browser count whole milliseconds and would fire too early by the fraction.
    else this.#after(Math.ceil(waitMs), () => this.#flush());
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#waiting = null;
  }

  #flush(): void {
    const message = this.#waiting;
    this.clear();
    if (message === null) return;
    this.#emit(message);
    for (const afterMs of REPEATS_AFTER_MS) this.#after(afterMs, () => this.#repeat(message));
  }

  #repeat(message: Merged): void {
    if (this.#waiting === null) this.#emit(message);
  }

  #emit(message: Merged): void {
    this.#sentAtMs = performance.now();
    this.#send(message);
  }

  #after(delayMs: number, call: () => void): void {
    this.#timers.push(setTimeout(call, delayMs));
  }
}
