import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MotionMerger } from "../../src/input/merger";
import type { Motion } from "../../src/protocol/input";

const at = (x: number): Motion => ({ type: "pointer", x, y: 0 });

describe("MotionMerger", () => {
  let sent: { x: number; type: string; atMs: number }[];
  let merger: MotionMerger;

  beforeEach(() => {
    vi.useFakeTimers();
    const startMs = performance.now();
    sent = [];
    merger = new MotionMerger((message) => {
      const x = message.type === "recap" ? 0 : message.x;
      sent.push({ x, type: message.type, atMs: performance.now() - startMs });
    });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("sends the first movement at once", () => {
    merger.push(at(1));

    expect(sent).toEqual([{ x: 1, type: "pointer", atMs: 0 }]);
  });

  test("sends at most one message per 4 ms, and the newest wins", () => {
    for (let x = 1; x <= 20; x++) {
      merger.push(at(x));
      vi.advanceTimersByTime(1);
    }

    expect(sent.map(({ x, atMs }) => [x, atMs])).toEqual([
      [1, 0],
      [4, 4],
      [8, 8],
      [12, 12],
      [16, 16],
      [20, 20],
    ]);
  });

  test("repeats the newest message 50 and 150 ms after the last change", () => {
    merger.push(at(1));
    vi.advanceTimersByTime(10);
    merger.push(at(2));
    vi.advanceTimersByTime(1000);

    expect(sent.map(({ x, atMs }) => [x, atMs])).toEqual([
      [1, 0],
      [2, 10],
      [2, 60],
      [2, 160],
    ]);
  });

  test("keeps the kinds apart", () => {
    merger.push(at(1));
    merger.push({ type: "wheel_totals", x: 120, y: 0 });

    expect(sent.map(({ type }) => type)).toEqual(["pointer", "wheel_totals"]);
  });

  test("neither sends nor repeats what a button has carried", () => {
    merger.push(at(1));
    merger.push(at(2));
    merger.forget("pointer");
    vi.advanceTimersByTime(1000);

    expect(sent.map(({ x }) => x)).toEqual([1]);
  });

  test("is silent after clear", () => {
    merger.push(at(1));
    merger.push({ type: "wheel_totals", x: 1, y: 1 });
    merger.clear();
    vi.advanceTimersByTime(1000);

    expect(sent).toHaveLength(2);
  });
});
