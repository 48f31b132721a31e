import { describe, expect, test } from "vitest";
import { StallPolicy } from "../../src/video/stall";

/** Feed samples every 50 ms and return the times at which a keyframe was asked for. */
function run(
  samples: { bytes: number; frames: number }[],
  { policy = begun(), roundTripMs = 20 }: { policy?: StallPolicy; roundTripMs?: number | null } = {},
): number[] {
  return samples.flatMap(({ bytes, frames }, index) => {
    const nowMs = 1000 + index * 50;
    return policy.sample(nowMs, bytes, frames, roundTripMs) ? [nowMs] : [];
  });
}

function begun(): StallPolicy {
  const policy = new StallPolicy();
  policy.sample(950, 0, 1, null);
  return policy;
}

describe("StallPolicy", () => {
  test("asks once payload has kept arriving for 150 ms without a frame", () => {
    const samples = [100, 200, 300, 400].map((bytes) => ({ bytes, frames: 1 }));

    expect(run(samples)).toEqual([1150]);
  });

  test("waits for as long as a repair takes", () => {
    const samples = Array.from({ length: 12 }, (_, index) => ({ bytes: (index + 1) * 100, frames: 1 }));

    expect(run(samples, { roundTripMs: 300 })).toEqual([1400]);
    expect(run(samples, { roundTripMs: null })).toEqual([1150, 1450]);
  });

  test("does not ask while frames complete", () => {
    const samples = [1, 2, 3, 4, 5, 6, 7].map((n) => ({ bytes: n * 100, frames: 1 + n }));

    expect(run(samples)).toEqual([]);
  });

  test("does not ask while nothing arrives: a screen that stands still is no stall", () => {
    const samples = Array.from({ length: 40 }, () => ({ bytes: 0, frames: 1 }));

    expect(run(samples)).toEqual([]);
  });

  test("does not ask about a single late piece of payload", () => {
    const samples = [100, 100, 100, 100, 100, 100].map((bytes) => ({ bytes, frames: 1 }));

    expect(run(samples)).toEqual([]);
  });

  test("starts to count anew with each completed frame", () => {
    const samples = [
      { bytes: 100, frames: 1 },
      { bytes: 200, frames: 1 },
      { bytes: 300, frames: 2 },
      { bytes: 400, frames: 2 },
      { bytes: 500, frames: 2 },
      { bytes: 600, frames: 2 },
    ];

    expect(run(samples)).toEqual([]);
  });

  test("asks again in growing intervals while the stall lasts", () => {
    const samples = Array.from({ length: 60 }, (_, index) => ({ bytes: (index + 1) * 100, frames: 1 }));

    expect(run(samples)).toEqual([1150, 1450, 2050, 3250]);
  });

  test("gives a decoder that has not shown anything yet half a second", () => {
    const samples = Array.from({ length: 12 }, (_, index) => ({ bytes: (index + 1) * 100, frames: 0 }));

    expect(run(samples, { policy: new StallPolicy() })).toEqual([1500]);
  });
});
