/**
 * Turns what the viewer does into input messages, numbers them and hands them to the channels.
 *
 * Owns the sequence, the totals, the held set, the merging of motion and the recaps of events, all of which start anew with
 * each peer. Knows nothing of DOM events: `capture.ts` does.
 */

import {
  type InputMessage,
  isSendableCode,
  type KeysEvent,
  type KeysMessage,
  MAX_ENTRY_BYTES,
  type MotionMessage,
  serializeInput,
  splitText,
  textBytes,
} from "../protocol/input";
import type { Position } from "./geometry";
import { HeldHeartbeat, HeldSet } from "./held";
import { type Merged, MotionMerger } from "./merger";
import { RecentEvents } from "./recent";
import { Totals } from "./totals";

export type InputChannel = "motion" | "keys";

/** A button message that went out: the sequence number comes back in the stamp of the first frame that shows it. */
export interface SentButton {
  sequence: number;
  button: number;
  isDown: boolean;
  /** `Event.timeStamp` of the event that caused it. */
  timeStamp: number;
}

export interface InputOutlet {
  /** Send on a channel; return whether it could be handed over. */
  send(channel: InputChannel, bytes: Uint8Array<ArrayBuffer>): boolean;
  buttonSent(sent: SentButton): void;
  /** A text was not sent because it is longer than `MAX_ENTRY_BYTES`. */
  textRefused(): void;
}

// The keys that change what the others mean: text must not be entered while they are down.
const MODIFIERS = /^(Control|Shift|Alt|Meta)(Left|Right)$/;
// Those that make a command of another key. The right Alt key chooses a character on many keyboards.
const COMMANDING = /^((Control|Meta)(Left|Right)|AltLeft)$/;

export class InputSender {
  readonly #outlet: InputOutlet;
  readonly #held = new HeldSet();
  readonly #heartbeat: HeldHeartbeat;
  readonly #merger: MotionMerger;
  #isEnabled = false;
  /** How many messages went out: the number of the last one, before it wraps to its sequence number. */
  #count = 0;
  #recent = new RecentEvents();
  #pointerTotals = new Totals();
  #wheelTotals = new Totals();

  constructor(outlet: InputOutlet) {
    this.#outlet = outlet;
    this.#merger = new MotionMerger((message) => this.#emitMerged(message));
    this.#heartbeat = new HeldHeartbeat(this.#held, () => this.#tellHeld());
  }

  /** Whether input is taken at the moment: the connection is there, and nobody else is known to hold the seat. */
  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** Whether a key is held that makes a command of another one. */
  get isCommanding(): boolean {
    return this.#held.codes.some((code) => COMMANDING.test(code));
  }

  /** Forget everything of the last peer: sequence and totals start at zero when the channels open. */
  reset(): void {
    this.setEnabled(false);
    this.#count = 0;
    this.#recent = new RecentEvents();
    this.#pointerTotals = new Totals();
    this.#wheelTotals = new Totals();
  }

  /** Follow the seat. The server releases what was held when the seat moves, so nothing is sent for it. */
  setEnabled(isEnabled: boolean): void {
    if (this.#isEnabled === isEnabled) return;
    this.#isEnabled = isEnabled;
    this.#merger.clear();
    this.#forgetHeld();
  }

  pointer(position: Position): void {
    if (!this.#isEnabled) return;
    this.#merger.push({ type: "pointer", ...position });
  }

  /** Move a locked pointer by so many pixels. */
  shift(dx: number, dy: number): void {
    if (!this.#isEnabled || (dx === 0 && dy === 0)) return;
    this.#merger.push({ type: "pointer_totals", ...this.#pointerTotals.add(dx, dy) });
  }

  /** Turn the wheel, in 1/120 of a notch; positive is right and down. */
  wheel(dx: number, dy: number): void {
    if (!this.#isEnabled || (dx === 0 && dy === 0)) return;
    this.#merger.push({ type: "wheel_totals", ...this.#wheelTotals.add(dx, dy) });
  }

  /** Press or release a button, at `position` or, where that is null, with the locked pointer; repeats are not sent. */
  button(button: number, isDown: boolean, position: Position | null, timeStamp: number): void {
    if (!this.#isEnabled || !this.#held.setButton(button, isDown)) return;
    const isLocked = position === null;
    const place = position ?? this.#pointerTotals.now();
    // The button carries the place reliably: motion that still waits would only arrive late.
    this.#merger.forget(isLocked ? "pointer_totals" : "pointer");
    const number = this.#emitEvent({ type: "button", button, is_down: isDown, is_locked: isLocked, ...place });
    this.#heartbeat.start();
    if (number !== null) this.#outlet.buttonSent({ sequence: number & 0xffff, button, isDown, timeStamp });
  }

  /** Press or release a key; repeats and keys without a code are not sent. */
  key(code: string, isDown: boolean): void {
    if (!this.#isEnabled || !isSendableCode(code) || !this.#held.setCode(code, isDown)) return;
    this.#emitEvent({ type: "key", code, is_down: isDown });
    this.#heartbeat.start();
  }

  /**
   * Enter text that no key stands for, all of it or, where it is too long, nothing. Held modifiers are lifted for its
   * duration: they would turn it into shortcuts.
   */
  text(text: string): void {
    if (!this.#isEnabled || text === "") return;
    if (textBytes(text) > MAX_ENTRY_BYTES) {
      this.#outlet.textRefused();
      return;
    }
    const pieces = splitText(text);
    const modifiers = this.#held.codes.filter((code) => MODIFIERS.test(code));
    for (const code of modifiers) this.key(code, false);
    for (const [index, piece] of pieces.entries()) {
      this.#emitEvent({ type: "text", text: piece, has_more: index < pieces.length - 1 });
    }
    for (const code of modifiers) this.key(code, true);
  }

  /** Press keys one after the other and release them in reverse: for combinations that the browser keeps to itself. */
  chord(codes: readonly string[]): void {
    for (const code of codes) this.key(code, true);
    for (const code of [...codes].reverse()) this.key(code, false);
  }

  /** Let go of all keys, one by one. */
  releaseKeys(): void {
    for (const code of this.#held.codes) this.key(code, false);
  }

  /** Let go of everything, because no release can be seen any more: focus, visibility or the pointer lock is lost. */
  releaseAll(): void {
    const isTold = this.#isEnabled && !this.#held.isEmpty;
    this.#merger.forgetMotion();
    this.#forgetHeld();
    if (isTold) this.#emitEvent({ type: "release_all" });
  }

  #forgetHeld(): void {
    this.#held.clear();
    this.#heartbeat.stop();
  }

  #tellHeld(): void {
    this.#emit("keys", { type: "held", buttons: this.#held.buttons, codes: this.#held.codes });
    // A sign of life that waits behind no lost message: without one for a while the server releases what is held.
    this.#merger.push({ type: "recap" });
  }

  /** Send an event, and repeat it at once with those before it: lost on its own channel, it would come much later. */
  #emitEvent(event: KeysEvent): number | null {
    const number = this.#emit("keys", event);
    if (number === null) return null;
    this.#recent.add(event, number, performance.now());
    this.#merger.push({ type: "recap" });
    return number;
  }

  #emitMerged(message: Merged): void {
    const isRecap = message.type === "recap";
    this.#emit("motion", isRecap ? this.#recent.recap(this.#count + 1, performance.now()) : message);
  }

  /** Send with the next number and return it, or null if the channel did not take the message. */
  #emit(channel: "motion", message: MotionMessage): number | null;
  #emit(channel: "keys", message: KeysMessage): number | null;
  #emit(channel: InputChannel, message: InputMessage): number | null {
    const number = this.#count + 1;
    if (!this.#outlet.send(channel, serializeInput(message, number))) return null;
    this.#count = number;
    return number;
  }
}
