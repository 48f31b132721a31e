/**
 * Counts freezes: of the long gaps between frames that the browser counts, those in which there was something to show.
 *
 * Pure. To the browser, a screen that stands still after it has moved freezes once a second. A gap counts here only where a
 * picture came later than it was made, or where something had been lost on the way.
 */

import type { Counts } from "./rates";

/** A frame as the page saw it. */
export interface PresentedFrame {
  /** On the clock of `performance.now()`. */
  atMs: number;
  /** When it was made, on the clock of the RTP stream; absent where the browser does not tell. */
  rtpTimestamp: number | undefined;
}

// The browser's own measure for a gap, beyond the usual distance of frames: `freezeCount` of W3C webrtc-stats.
const LATE_MS = 150;
const TICKS_PER_MS = 90;

export class Freezes {
  #count = 0;
  #undecided = 0;
  #wasDisturbed = false;
  #last: PresentedFrame | null = null;

  /**
   * Take the counts before and after some time, and the frames that were presented in it; return the freezes so far.
   *
   * A gap, its cause and its count may fall into neighbouring calls: those are looked at together.
   */
  sample(before: Counts, after: Counts, frames: readonly PresentedFrame[]): number {
    const gaps = after.freezeCount - before.freezeCount;
    const isDisturbed = this.#hasLate(frames) || hasLost(before, after);
    if (isDisturbed) this.#count += gaps + this.#undecided;
    else if (this.#wasDisturbed) this.#count += gaps;
    this.#undecided = isDisturbed || this.#wasDisturbed ? 0 : gaps;
    this.#wasDisturbed = isDisturbed;
    return this.#count;
  }

  #hasLate(frames: readonly PresentedFrame[]): boolean {
    let hasLate = false;
    for (const frame of frames) {
      if (this.#last !== null && delayMs(this.#last, frame) > LATE_MS) hasLate = true;
      this.#last = frame;
    }
    return hasLate;
  }
}

/** Return how much later `next` came than it should have after `last`. */
function delayMs(last: PresentedFrame, next: PresentedFrame): number {
  if (last.rtpTimestamp === undefined || next.rtpTimestamp === undefined) return 0;
  // RTP timestamps have 32 bits and wrap.
  const madeLaterMs = ((next.rtpTimestamp - last.rtpTimestamp) | 0) / TICKS_PER_MS;
  return next.atMs - last.atMs - madeLaterMs;
}

function hasLost(before: Counts, after: Counts): boolean {
  return (
    after.packetsLost > before.packetsLost ||
    after.repairsRequested > before.repairsRequested ||
    after.keyframesRequested > before.keyframesRequested
  );
}
