import { describe, expect, test } from "vitest";
import { RecentEvents } from "../../src/input/recent";
import type { KeysEvent } from "../../src/protocol/input";

const KEY: KeysEvent = { type: "key", code: "KeyA", is_down: true };

function textOf(length: number): KeysEvent {
  return { type: "text", text: "x".repeat(length), has_more: false };
}

describe("RecentEvents", () => {
  test("repeat nothing and reach back to the start before there is an event", () => {
    expect(new RecentEvents().recap(7, 0)).toEqual({ type: "recap", reach: 7, events: [] });
  });

  test("are repeated as they went out, oldest first", () => {
    const recent = new RecentEvents();
    recent.add({ type: "release_all" }, 3, 0);
    recent.add(textOf(1), 65_536 + 4, 0);

    const { reach, events } = recent.recap(65_536 + 5, 0);

    expect(reach).toBe(65_536 + 5);
    expect(events.map((event) => [...event])).toEqual([
      [0x14, 0, 3],
      [0x12, 0, 4, 0, 0, 1, 0x78],
    ]);
  });

  test("are forgotten after half a second, and a recap reaches back to the last forgotten one", () => {
    const recent = new RecentEvents();
    recent.add(KEY, 1, 0);
    recent.add(KEY, 3, 100);
    recent.add(KEY, 5, 500);

    expect(recent.recap(6, 500)).toMatchObject({ reach: 6, events: { length: 3 } });
    expect(recent.recap(7, 501)).toMatchObject({ reach: 6, events: { length: 2 } });
    expect(recent.recap(100_000, 10_000)).toMatchObject({ reach: 99_995, events: { length: 0 } });
  });

  test("are at most 32", () => {
    const recent = new RecentEvents();
    for (let number = 1; number <= 40; number++) recent.add(KEY, number, 0);

    expect(recent.recap(41, 0)).toMatchObject({ reach: 33, events: { length: 32 } });
  });

  test("fit into one packet", () => {
    const recent = new RecentEvents();
    for (let number = 1; number <= 40; number++) recent.add(textOf(60), number, 0);

    const { reach, events } = recent.recap(41, 0);

    expect(events).toHaveLength(Math.floor(800 / 66));
    expect(reach).toBe(events.length + 1);
  });

  test("do not reach beyond a text that is too long to be repeated", () => {
    const recent = new RecentEvents();
    recent.add(KEY, 1, 0);
    recent.add(textOf(61), 2, 0);
    recent.add(KEY, 3, 0);

    expect(recent.recap(4, 0)).toMatchObject({ reach: 2, events: { length: 1 } });
  });
});
