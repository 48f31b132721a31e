/**
 * Decides when the picture has stalled although video keeps arriving, so that a keyframe must be asked for.
 *
 * Pure: told the time and the counts. A browser by itself asks only after three seconds.
 */

// Payload that kept arriving for so long without completing a frame: nine frame intervals at 60 fps.
const STALL_MS = 150;
// A repair takes a round trip, and until then no frame can complete: with less patience than that, a path of 150 ms got
// a keyframe a second. Beyond it for the next frame to show the gap, for the turn of the repair in the queue, and for it
// to be decoded.
const REPAIR_SLACK_MS = 100;
// Until the first frame the decoder is still being started.
const FIRST_FRAME_MS = 500;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 2400;

export class StallPolicy {
  #payloadBytes = 0;
  #frames = 0;
  #growingSinceMs: number | null = null;
  #silentUntilMs = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;

  /**
   * Take a sample of the totals and return whether to ask for a keyframe. `payloadBytes` has no padding in it;
   * `roundTripMs` is null while it is not known.
   */
  sample(nowMs: number, payloadBytes: number, frames: number, roundTripMs: number | null): boolean {
    const hasGrown = payloadBytes > this.#payloadBytes;
    const hasCompleted = frames > this.#frames;
    this.#payloadBytes = payloadBytes;
    this.#frames = frames;
    if (hasCompleted) return this.#recovered();
    if (!hasGrown) return false;
    this.#growingSinceMs ??= nowMs;
    const leastMs = frames > 0 ? STALL_MS : FIRST_FRAME_MS;
    const limitMs = Math.max(leastMs, (roundTripMs ?? 0) + REPAIR_SLACK_MS);
    if (nowMs - this.#growingSinceMs < limitMs || nowMs < this.#silentUntilMs) return false;
    this.#silentUntilMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    return true;
  }

  /** Whether payload has arrived since the last completed frame. */
  get isSuspicious(): boolean {
    return this.#growingSinceMs !== null;
  }

  #recovered(): false {
    this.#growingSinceMs = null;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#silentUntilMs = Number.NEGATIVE_INFINITY;
    return false;
  }
}
