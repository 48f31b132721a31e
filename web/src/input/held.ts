/**
 * What is down: keys by `KeyboardEvent.code`, buttons by `MouseEvent.button`; and the heartbeat that tells the server.
 *
 * While anything is down the whole set is told every 100 ms, so that a key whose release got lost cannot stick.
 */

import { BUTTONS, MAX_HELD_CODES } from "../protocol/input";

const HEARTBEAT_MS = 100;

export class HeldSet {
  #buttons = 0;
  readonly #codes = new Set<string>();

  get isEmpty(): boolean {
    return this.#buttons === 0 && this.#codes.size === 0;
  }

  /** Bit n is button n. */
  get buttons(): number {
    return this.#buttons;
  }

  get codes(): readonly string[] {
    return [...this.#codes];
  }

  hasCode(code: string): boolean {
    return this.#codes.has(code);
  }

  hasButton(button: number): boolean {
    return (this.#buttons & (1 << button)) !== 0;
  }

  /** Note a change and return whether it is one: repeats are none, nor is more than a message of the protocol can hold. */
  setCode(code: string, isDown: boolean): boolean {
    if (!isDown) return this.#codes.delete(code);
    if (this.#codes.has(code) || this.#codes.size >= MAX_HELD_CODES) return false;
    this.#codes.add(code);
    return true;
  }

  /** Note a change and return whether it is one. */
  setButton(button: number, isDown: boolean): boolean {
    if (button < 0 || button >= BUTTONS || this.hasButton(button) === isDown) return false;
    this.#buttons ^= 1 << button;
    return true;
  }

  clear(): void {
    this.#buttons = 0;
    this.#codes.clear();
  }
}

/** Calls `tell` every 100 ms while the set holds anything, and once more when it has become empty. */
export class HeldHeartbeat {
  readonly #set: HeldSet;
  readonly #tell: () => void;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(set: HeldSet, tell: () => void) {
    this.#set = set;
    this.#tell = tell;
  }

  /** Start if there is something to tell. Call after every press. */
  start(): void {
    if (this.#timer === null && !this.#set.isEmpty) this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  /** Stop without a last word. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #beat(): void {
    if (this.#set.isEmpty) this.stop();
    this.#tell();
  }
}
