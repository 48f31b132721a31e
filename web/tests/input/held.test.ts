import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HeldHeartbeat, HeldSet } from "../../src/input/held";

describe("HeldSet", () => {
  test("takes a repeat for no change", () => {
    const held = new HeldSet();

    expect([held.setCode("KeyA", true), held.setCode("KeyA", true)]).toEqual([true, false]);
    expect([held.setCode("KeyA", false), held.setCode("KeyA", false)]).toEqual([true, false]);
    expect([held.setButton(1, true), held.setButton(1, true)]).toEqual([true, false]);
  });

  test("names button n by bit n", () => {
    const held = new HeldSet();
    held.setButton(0, true);
    held.setButton(4, true);

    expect(held.buttons).toBe(0b10001);
  });

  test("holds no more keys than a message can name", () => {
    const held = new HeldSet();
    for (let key = 0; key < 40; key++) held.setCode(`Key${key}`, true);

    expect(held.codes).toHaveLength(32);
  });

  test("knows no sixth button", () => {
    expect(new HeldSet().setButton(5, true)).toBe(false);
  });
});

describe("HeldHeartbeat", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("tells every 100 ms what is held, and once when nothing is any more", () => {
    const held = new HeldSet();
    const told: string[] = [];
    const heartbeat = new HeldHeartbeat(held, () => told.push(held.codes.join()));

    held.setCode("KeyW", true);
    heartbeat.start();
    heartbeat.start();
    vi.advanceTimersByTime(250);
    held.setCode("KeyW", false);
    vi.advanceTimersByTime(1000);

    expect(told).toEqual(["KeyW", "KeyW", ""]);
  });

  test("does not start for nothing", () => {
    const tell = vi.fn();
    new HeldHeartbeat(new HeldSet(), tell).start();
    vi.advanceTimersByTime(1000);

    expect(tell).not.toHaveBeenCalled();
  });
});
