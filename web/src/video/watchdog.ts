/**
 * Watches the picture of one peer and asks for a keyframe when `stall.ts` says so.
 *
 * Reads the browser's counts only while no frame is being presented: they cost a millisecond each.
 */

import { roundTripMsOf } from "../stats/path";
import { countsOf } from "../stats/rates";
import type { Picture } from "./picture";
import { StallPolicy } from "./stall";

const TICK_MS = 50;
// Six frame intervals at 60 fps without a new picture are worth a closer look.
const SILENCE_MS = 100;
// A screen that stands still sends a frame a second: after this long, a look every fourth tick is enough while no payload
// arrives.
const LONG_SILENCE_MS = 1000;
const SPARSE_TICKS = 4;

export class Watchdog {
  readonly #picture: Picture;
  readonly #connection: RTCPeerConnection;
  readonly #ask: () => void;
  readonly #policy = new StallPolicy();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startedAtMs = performance.now();
  #tick = 0;
  #isReading = false;

  constructor(picture: Picture, connection: RTCPeerConnection, ask: () => void) {
    this.#picture = picture;
    this.#connection = connection;
    this.#ask = ask;
    this.#timer = setInterval(() => this.#look(), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#tick += 1;
    const silentMs = performance.now() - Math.max(this.#startedAtMs, this.#picture.presentedAtMs);
    // A hidden page presents nothing, and the server is told to pause.
    if (this.#isReading || document.hidden || silentMs < SILENCE_MS) return;
    const isSparse = silentMs > LONG_SILENCE_MS && !this.#policy.isSuspicious;
    if (!isSparse || this.#tick % SPARSE_TICKS === 0) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const report = await this.#connection.getStats();
      const counts = countsOf(report.values());
      if (counts === null) return;
      const roundTripMs = roundTripMsOf(report.values());
      // Decoded frames, not received ones: a frame whose reference is missing is received too.
      if (this.#policy.sample(performance.now(), counts.payloadBytes, counts.framesDecoded, roundTripMs)) this.#ask();
    } finally {
      this.#isReading = false;
    }
  }
}
