/**
 * The events of the last moments, as a recap repeats them.
 *
 * Owns what is kept, and how far back nothing is left out. Knows no channels and no clock, and numbers that do not wrap.
 */

import { type KeysEvent, MAX_RECAP_EVENTS, type Recap, serializeInput } from "../protocol/input";

// Until a message that was lost on the channel `keys` has come again: 300 to 400 ms, and the way there and back.
const KEPT_MS = 500;
// Each event is sent several times: what the longest key takes and a word of text may be, a paste may not.
const MAX_EVENT_BYTES = 66;
// A recap in two packets would be lost twice as often. What goes with it in one of 1200 bytes: a few other messages.
const MAX_EVENTS_BYTES = 800;

interface KeptEvent {
  number: number;
  atMs: number;
  bytes: Uint8Array<ArrayBuffer>;
}

export class RecentEvents {
  readonly #kept: KeptEvent[] = [];
  #keptBytes = 0;
  /** The number of the newest event that is not kept; 0 is before all. */
  #forgotten = 0;

  /** Note an event that went out as message `number`. */
  add(event: KeysEvent, number: number, nowMs: number): void {
    const bytes = serializeInput(event, number);
    this.#kept.push({ number, atMs: nowMs, bytes });
    this.#keptBytes += bytes.length;
    this.#forgetWhile(() => bytes.length > MAX_EVENT_BYTES);
    this.#forgetWhile(() => this.#kept.length > MAX_RECAP_EVENTS || this.#keptBytes > MAX_EVENTS_BYTES);
  }

  /** Return what message `number` says if it is a recap. */
  recap(number: number, nowMs: number): Recap {
    this.#forgetWhile((oldest) => oldest.atMs < nowMs - KEPT_MS);
    return { type: "recap", reach: number - this.#forgotten, events: this.#kept.map(({ bytes }) => bytes) };
  }

  #forgetWhile(isOver: (oldest: KeptEvent) => boolean): void {
    for (let oldest = this.#kept[0]; oldest !== undefined && isOver(oldest); oldest = this.#kept[0]) {
      this.#kept.shift();
      this.#keptBytes -= oldest.bytes.length;
      this.#forgotten = oldest.number;
    }
  }
}
