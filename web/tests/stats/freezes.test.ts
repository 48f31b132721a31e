import { describe, expect, test } from "vitest";
import { Freezes, type PresentedFrame } from "../../src/stats/freezes";
import { type Counts, countsOf } from "../../src/stats/rates";

function counts(changes: Record<string, number> = {}): Counts {
  const found = countsOf([{ type: "inbound-rtp", kind: "video", ...changes }]);
  if (found === null) throw new Error("the report has video");
  return found;
}

/** Frames by when they were presented and when they were made, in milliseconds. */
function frames(...times: [presentedMs: number, madeMs: number][]): PresentedFrame[] {
  return times.map(([atMs, madeMs]) => ({ atMs, rtpTimestamp: (0xfffff000 + madeMs * 90) >>> 0 }));
}

const CALM = counts();
const GAP = counts({ freezeCount: 1 });

describe("Freezes", () => {
  test("counts no gap of a screen that stands still", () => {
    const freezes = new Freezes();

    expect(freezes.sample(CALM, CALM, frames([0, 0], [16, 16], [33, 33]))).toBe(0);
    expect(freezes.sample(CALM, GAP, frames([1033, 1033]))).toBe(0);
    expect(freezes.sample(GAP, counts({ freezeCount: 2 }), frames([2035, 2033]))).toBe(0);
  });

  test("counts a gap at whose end a picture was late", () => {
    const freezes = new Freezes();

    freezes.sample(CALM, CALM, frames([0, 0], [16, 16]));
    expect(freezes.sample(CALM, GAP, frames([733, 33], [734, 50]))).toBe(1);
  });

  test("takes usual jitter for nothing", () => {
    const freezes = new Freezes();

    expect(freezes.sample(CALM, GAP, frames([0, 0], [1100, 1000], [2000, 2000]))).toBe(0);
  });

  test.each(["packetsLost", "nackCount", "pliCount"])("counts a gap in which %s grew", (name) => {
    expect(new Freezes().sample(CALM, counts({ freezeCount: 1, [name]: 1 }), [])).toBe(1);
  });

  test.each([
    ["before", [counts({ packetsLost: 1 }), counts({ packetsLost: 1, freezeCount: 1 })]],
    ["after", [GAP, counts({ packetsLost: 1, freezeCount: 1 })]],
  ])("knows a cause that was seen a moment %s its gap", (_, [first, second]) => {
    const freezes = new Freezes();

    freezes.sample(CALM, first as Counts, []);
    expect(freezes.sample(first as Counts, second as Counts, [])).toBe(1);
    expect(freezes.sample(second as Counts, second as Counts, [])).toBe(1);
  });

  test("goes without the times of frames where the browser has none", () => {
    const untimed = [0, 16, 1016].map((atMs) => ({ atMs, rtpTimestamp: undefined }));

    expect(new Freezes().sample(CALM, GAP, untimed)).toBe(0);
  });
});
