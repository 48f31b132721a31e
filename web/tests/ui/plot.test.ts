import { describe, expect, test } from "vitest";
import { areaOf, lineOf, runsOf, type Scale, topOf, type Value } from "../../src/ui/plot";

// A pixel per tenth of a second, and a unit per pixel.
const SCALE: Scale = { widthPx: 100, heightPx: 50, spanMs: 10_000, nowMs: 20_000, top: 50 };

function values(...pairs: [atMs: number, value: number | null][]): Value[] {
  return pairs.map(([atMs, value]) => ({ atMs, value }));
}

describe("topOf", () => {
  test.each([
    [0, 1, 1],
    [0.4, 1, 1],
    [1, 1, 1],
    [1.01, 1, 2],
    [8.2, 1, 10],
    [10, 1, 10],
    [22, 1, 30],
    [1000, 1, 1000],
    [3, 20, 20],
    [412, 20, 600],
  ])("of %d, at least %d, is %d", (largest, least, top) => {
    expect(topOf(largest, least)).toBe(top);
  });
});

describe("runsOf", () => {
  test("puts the present at the right edge and zero at the bottom", () => {
    expect(runsOf(values([18_000, 50], [20_000, 0]), SCALE)).toEqual([
      [
        [80, 0],
        [100, 50],
      ],
    ]);
  });

  test("leaves a gap where samples are missing", () => {
    expect(runsOf(values([10_000, 10], [13_000, 10], [16_001, 10]), SCALE)).toHaveLength(2);
  });

  test("leaves a gap where values have been unknown for long, not for one", () => {
    const unknown = [12_000, 13_000, 14_000].map((atMs): [number, null] => [atMs, null]);

    expect(runsOf(values([11_000, 1], ...unknown, [15_000, 1]), SCALE)).toHaveLength(2);
    expect(runsOf(values([11_000, 1], [12_000, null], [13_000, 1]), SCALE)).toHaveLength(1);
  });

  test("has none of nothing", () => {
    expect(runsOf(values([20_000, null]), SCALE)).toEqual([]);
  });

  test("rounds to what can be seen", () => {
    expect(runsOf(values([19_999, 1 / 3]), SCALE)).toEqual([[[100, 49.7]]]);
  });
});

describe("paths", () => {
  const runs = runsOf(values([10_000, 20], [11_000, 30], [20_000, 0]), SCALE);

  test("follow the points, and show a lonely one as a dot", () => {
    expect(lineOf(runs)).toBe("M0,30L0,30 10,20M100,50L100,50");
  });

  test("enclose what is below the points", () => {
    expect(areaOf(runs, SCALE)).toBe("M0,50L0,30 10,20V50ZM100,50L100,50V50Z");
  });

  test("are empty without points", () => {
    expect([lineOf([]), areaOf([], SCALE)]).toEqual(["", ""]);
  });
});
