/**
 * From values over time to the lines of a plot: the scale, the points, and SVG's path data for them.
 *
 * Pure. Pixels have their origin at the top left; the right edge is the present.
 */

/** Tops of a scale whose half is a number that reads well too. */
const ROUND = [1, 2, 3, 4, 6, 8, 10];
// Samples come once a second: after two that are missing nobody knows what happened in between.
const MAX_GAP_MS = 3000;

export interface Value {
  atMs: number;
  /** Null while it is not known. */
  value: number | null;
}

/** What the rectangle of the plot stands for. */
export interface Scale {
  widthPx: number;
  heightPx: number;
  spanMs: number;
  nowMs: number;
  /** The value at the top; zero is at the bottom. */
  top: number;
}

export type Point = readonly [xPx: number, yPx: number];

/** Return the least round number that is neither below `largest` nor below `least`, which is positive. */
export function topOf(largest: number, least: number): number {
  const wanted = Math.max(largest, least);
  const decade = 10 ** Math.floor(Math.log10(wanted));
  return decade * (ROUND.find((step) => step * decade >= wanted) ?? 10);
}

/** Return the points of each stretch without a gap. */
export function runsOf(values: readonly Value[], scale: Scale): Point[][] {
  const runs: Point[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { atMs, value } of values) {
    if (value === null) continue;
    if (atMs - lastMs > MAX_GAP_MS) runs.push([]);
    runs.at(-1)?.push(pointOf(atMs, value, scale));
    lastMs = atMs;
  }
  return runs;
}

/** Return the path along the points. */
export function lineOf(runs: readonly (readonly Point[])[]): string {
  // Each run begins with a line of no length, which round caps make a dot: a run of one point can be seen.
  return runs.map((run) => `M${run[0]}L${run.join(" ")}`).join("");
}

/** Return the path around what lies between the points and the bottom of the plot. */
export function areaOf(runs: readonly (readonly Point[])[], { heightPx }: Scale): string {
  return runs.map((run) => `M${run[0]?.[0]},${heightPx}L${run.join(" ")}V${heightPx}Z`).join("");
}

function pointOf(atMs: number, value: number, { widthPx, heightPx, spanMs, nowMs, top }: Scale): Point {
  return [tenth(widthPx * (1 - (nowMs - atMs) / spanMs)), tenth(heightPx * (1 - value / top))];
}

/** Finer than a screen can show, and half as long to write. */
function tenth(valuePx: number): number {
  return Math.round(valuePx * 10) / 10;
}
