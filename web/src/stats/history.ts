/** The last two minutes of a stream, a sample per second. Pure: told the times. */

import type { Sample } from "./sampler";

/** Long enough to see what led to the stutter that made somebody open the overlay. */
export const SPAN_MS = 120_000;

export interface Moment {
  atMs: number;
  sample: Sample;
}

export class SampleHistory {
  #moments: Moment[] = [];

  /** From the oldest to the newest. */
  get moments(): readonly Moment[] {
    return this.#moments;
  }

  get newest(): Moment | null {
    return this.#moments.at(-1) ?? null;
  }

  /** Remember a sample, and forget those that are too old beside it. */
  add(atMs: number, sample: Sample): void {
    this.#moments = this.#moments.filter((moment) => atMs - moment.atMs < SPAN_MS);
    this.#moments.push({ atMs, sample });
  }
}
