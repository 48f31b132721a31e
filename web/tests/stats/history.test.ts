import { describe, expect, test } from "vitest";
import { SampleHistory, SPAN_MS } from "../../src/stats/history";
import { sample } from "../samples";

describe("SampleHistory", () => {
  test("begins with nothing", () => {
    const history = new SampleHistory();

    expect([history.newest, history.moments]).toEqual([null, []]);
  });

  test("keeps the last two minutes in their order", () => {
    const history = new SampleHistory();

    for (let atMs = 0; atMs <= 2 * SPAN_MS; atMs += 1000) history.add(atMs, sample());

    expect(history.moments).toHaveLength(120);
    expect(history.moments[0]?.atMs).toBe(SPAN_MS + 1000);
    expect(history.newest?.atMs).toBe(2 * SPAN_MS);
  });

  test("forgets what was before a longer pause", () => {
    const history = new SampleHistory();
    history.add(0, sample());

    history.add(SPAN_MS, sample());

    expect(history.moments.map(({ atMs }) => atMs)).toEqual([SPAN_MS]);
  });
});
