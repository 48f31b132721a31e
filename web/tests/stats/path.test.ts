import { describe, expect, test } from "vitest";
import { roundTripMsOf } from "../../src/stats/path";

const PAIR = { type: "candidate-pair", id: "p2", currentRoundTripTime: 0.15 };
const OTHER = { type: "candidate-pair", id: "p1", currentRoundTripTime: 0.02 };

describe("roundTripMsOf", () => {
  test("takes the pair that the transport has selected", () => {
    const transport = { type: "transport", selectedCandidatePairId: "p2" };

    expect(roundTripMsOf([OTHER, PAIR, transport])).toBe(150);
  });

  test("takes the pair that says so itself where the transport does not", () => {
    expect(roundTripMsOf([OTHER, { ...PAIR, selected: true }])).toBe(150);
  });

  test("says so while there is no pair, or nothing has been measured", () => {
    const transport = { type: "transport", selectedCandidatePairId: "p2" };

    expect(roundTripMsOf([OTHER])).toBeNull();
    expect(roundTripMsOf([transport, { type: "candidate-pair", id: "p2" }])).toBeNull();
  });
});
