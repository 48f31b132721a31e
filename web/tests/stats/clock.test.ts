import { describe, expect, test } from "vitest";
import { ClockMapping } from "../../src/stats/clock";

// The server's clock is ahead by this much.
const AHEAD_US = 5_000_000_000;

/** Note an exchange whose way there and back took so long. */
function exchange(clock: ClockMapping, sentAtMs: number, thereMs: number, backMs: number): void {
  clock.add(sentAtMs, sentAtMs + thereMs + backMs, (sentAtMs + thereMs) * 1000 + AHEAD_US);
}

describe("ClockMapping", () => {
  test("maps nothing before the first exchange", () => {
    const clock = new ClockMapping();

    expect([clock.toServerUs(0), clock.rttMs, clock.errorMs]).toEqual([null, null, null]);
  });

  test("is exact where both ways took the same time", () => {
    const clock = new ClockMapping();
    exchange(clock, 1000, 2, 2);

    expect(clock.toServerUs(2000)).toBe(2_000_000 + AHEAD_US);
  });

  test("trusts the shortest round trip", () => {
    const clock = new ClockMapping();
    exchange(clock, 1000, 1, 1);
    exchange(clock, 2000, 80, 1);

    expect(clock.toServerUs(3000)).toBe(3_000_000 + AHEAD_US);
    expect([clock.rttMs, clock.errorMs]).toEqual([81, 1]);
  });

  test("is never wrong by more than it says", () => {
    const clock = new ClockMapping();
    exchange(clock, 1000, 9, 1);

    const errorMs = Math.abs((clock.toServerUs(0) ?? 0) - AHEAD_US) / 1000;
    expect(errorMs).toBeLessThanOrEqual(clock.errorMs ?? 0);
  });

  test("forgets exchanges after half a minute, because clocks drift", () => {
    const clock = new ClockMapping();
    exchange(clock, 0, 0, 0);
    exchange(clock, 31_000, 3, 3);

    expect(clock.errorMs).toBe(3);
  });
});
