import { describe, expect, test } from "vitest";
import { Backoff } from "../../src/transport/backoff";

describe("Backoff", () => {
  test("tries again almost at once, then up to twice as late each time, and never later than 8 s", () => {
    const backoff = new Backoff(() => 1);

    const delays = Array.from({ length: 7 }, () => backoff.nextDelayMs(0));

    expect(delays).toEqual([100, 500, 1000, 2000, 4000, 8000, 8000]);
  });

  test("spreads later attempts over the whole delay", () => {
    const backoff = new Backoff(() => 0);
    backoff.nextDelayMs(0);

    expect(backoff.nextDelayMs(0)).toBe(100);
  });

  test("starts afresh after a connection that lasted", () => {
    const backoff = new Backoff(() => 1);
    for (let attempt = 0; attempt < 4; attempt++) backoff.nextDelayMs(0);
    backoff.connected(10_000);

    expect(backoff.nextDelayMs(15_000)).toBe(100);
  });

  test("does not hurry because of a connection that broke at once", () => {
    const backoff = new Backoff(() => 1);
    for (let attempt = 0; attempt < 4; attempt++) backoff.nextDelayMs(0);
    backoff.connected(10_000);

    expect(backoff.nextDelayMs(10_050)).toBe(4000);
  });
});
