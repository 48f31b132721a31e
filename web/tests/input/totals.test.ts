import { describe, expect, test } from "vitest";
import { Totals, wheelUnits } from "../../src/input/totals";

describe("Totals", () => {
  test("adds up", () => {
    const totals = new Totals();
    totals.add(3, -4);

    expect(totals.add(2, -1)).toEqual({ x: 5, y: -5 });
  });

  test("wraps at both ends of 32 bits", () => {
    const totals = new Totals();

    expect(totals.add(2 ** 31, -(2 ** 31) - 1)).toEqual({ x: -(2 ** 31), y: 2 ** 31 - 1 });
  });

  test("keeps fractions until they make a whole", () => {
    const totals = new Totals();
    totals.add(0.25, 0);
    totals.add(0.25, 0);
    totals.add(0.25, 0);

    expect(totals.add(0.25, 0)).toEqual({ x: 1, y: 0 });
  });
});

describe("wheelUnits", () => {
  test.each([
    ["100 pixels are a notch", { deltaX: 0, deltaY: 100, deltaMode: 0 }, { x: 0, y: 120 }],
    ["3 lines are a notch", { deltaX: -3, deltaY: 0, deltaMode: 1 }, { x: -120, y: 0 }],
    ["a page is three notches", { deltaX: 0, deltaY: 1, deltaMode: 2 }, { x: 0, y: 360 }],
    [
      "wheelDelta counts notches whatever a notch scrolls",
      { deltaX: 0, deltaY: 53, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: -120 },
      { x: 0, y: 120 },
    ],
  ])("%s", (_claim, turn, units) => {
    const { x, y } = wheelUnits(turn);

    // Without the sign of zero.
    expect({ x: x + 0, y: y + 0 }).toEqual(units);
  });
});
