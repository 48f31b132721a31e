/**
 * Running totals of relative movement, and the wheel in 1/120 of a notch.
 *
 * Pure. Fractions are kept, so that slow movement adds up; what is handed out is an integer modulo 2^32, signed.
 */

import type { Position } from "./geometry";

export class Totals {
  #x = 0;
  #y = 0;

  /** Add a movement and return the new totals. */
  add(dx: number, dy: number): Position {
    this.#x += dx;
    this.#y += dy;
    return this.now();
  }

  now(): Position {
    return { x: Math.round(this.#x) | 0, y: Math.round(this.#y) | 0 };
  }
}

// One notch of an ordinary wheel, in the three units that W3C WheelEvent.deltaMode knows: pixels, lines, pages. Browsers
// that report pixels scroll 100 of them per notch, those that report lines 3. A page has no such custom: three notches.
const UNITS_PER_DELTA = [120 / 100, 120 / 3, 3 * 120] as const;

export interface WheelTurn {
  deltaX: number;
  deltaY: number;
  deltaMode: number;
  /** Chromium and Safari only: 120 per notch, whatever the scroll settings of the machine; up and left are positive. */
  wheelDeltaX?: number;
  wheelDeltaY?: number;
}

/** Return how far the wheel turned, in 1/120 of a notch; positive is right and down. */
export function wheelUnits(turn: WheelTurn): Position {
  if (turn.wheelDeltaX || turn.wheelDeltaY) return { x: -(turn.wheelDeltaX ?? 0), y: -(turn.wheelDeltaY ?? 0) };
  const units = UNITS_PER_DELTA[turn.deltaMode] ?? UNITS_PER_DELTA[0];
  return { x: turn.deltaX * units, y: turn.deltaY * units };
}
