import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { InputSender, type SentButton } from "../../src/input/sender";

const TYPES: Record<number, string> = {
  1: "pointer",
  2: "pointer_totals",
  3: "wheel_totals",
  4: "recap",
  16: "key",
  17: "button",
  18: "text",
  19: "held",
  20: "release_all",
};

describe("InputSender", () => {
  let sent: { channel: string; type: string; sequence: number; bytes: Uint8Array<ArrayBuffer> }[];
  let buttons: SentButton[];
  let refusals: number;
  let isOpen: boolean;
  let input: InputSender;

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    buttons = [];
    refusals = 0;
    isOpen = true;
    input = new InputSender({
      send: (channel, bytes) => {
        const sequence = ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0);
        if (isOpen) sent.push({ channel, type: TYPES[bytes[0] ?? 0] ?? "?", sequence, bytes });
        return isOpen;
      },
      buttonSent: (button) => buttons.push(button),
      textRefused: () => {
        refusals++;
      },
    });
    input.setEnabled(true);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const withoutRecaps = () => sent.filter(({ type }) => type !== "recap");
  const recaps = () => sent.filter(({ type }) => type === "recap").map(({ bytes }) => readRecap(bytes));

  test("numbers all messages with one sequence across both channels", () => {
    input.pointer({ x: 1, y: 2 });
    input.key("KeyA", true);
    input.wheel(0, 120);
    input.key("KeyA", false);

    expect(sent.map(({ channel, type, sequence }) => [channel, type, sequence])).toEqual([
      ["motion", "pointer", 1],
      ["keys", "key", 2],
      ["motion", "recap", 3],
      ["motion", "wheel_totals", 4],
      ["keys", "key", 5],
    ]);
  });

  test("gives no number to a message that no channel took", () => {
    isOpen = false;
    input.key("KeyA", true);
    isOpen = true;
    input.key("KeyB", true);

    expect(withoutRecaps().map(({ sequence }) => sequence)).toEqual([1]);
    expect(recaps()).toEqual([{ reach: 2, sequences: [1] }]);
  });

  test("sends nothing without the seat", () => {
    input.setEnabled(false);
    input.pointer({ x: 1, y: 1 });
    input.shift(1, 1);
    input.wheel(1, 1);
    input.key("KeyA", true);
    input.button(0, true, { x: 0, y: 0 }, 0);
    input.text("x");
    input.releaseAll();
    vi.advanceTimersByTime(1000);

    expect(sent).toEqual([]);
  });

  test("tells the sequence number and the event time of each button", () => {
    input.pointer({ x: 1, y: 1 });
    input.button(0, true, { x: 7, y: 8 }, 123.4);

    expect(buttons).toEqual([{ sequence: 2, button: 0, isDown: true, timeStamp: 123.4 }]);
  });

  test("carries the totals with a button of a locked pointer", () => {
    input.shift(5, -6);
    input.button(2, true, null, 0);

    const view = new DataView((withoutRecaps().at(-1)?.bytes ?? new Uint8Array()).buffer);
    expect([view.getUint8(4), view.getInt32(5), view.getInt32(9)]).toEqual([0b11, 5, -6]);
  });

  test("drops motion that a button has overtaken", () => {
    input.pointer({ x: 1, y: 1 });
    input.pointer({ x: 2, y: 2 });
    input.button(0, true, { x: 2, y: 2 }, 0);
    vi.advanceTimersByTime(90);

    expect(withoutRecaps().map(({ type }) => type)).toEqual(["pointer", "button"]);
  });

  test("forgets where the pointer was when it lets go", () => {
    input.pointer({ x: 1, y: 1 });
    input.releaseAll();
    vi.advanceTimersByTime(1000);

    expect(sent.map(({ type }) => type)).toEqual(["pointer"]);
  });

  test("lets go of everything once", () => {
    input.key("KeyW", true);
    input.button(0, true, { x: 0, y: 0 }, 0);
    input.releaseAll();
    input.releaseAll();
    input.key("KeyW", false);
    vi.advanceTimersByTime(1000);

    expect(withoutRecaps().map(({ type }) => type)).toEqual(["key", "button", "release_all"]);
    expect(recaps().map(({ sequences }) => sequences.length)).toEqual([1, 3, 3, 3]);
  });

  test("lifts held modifiers while text is entered", () => {
    input.key("ControlLeft", true);
    input.text("é");

    expect(withoutRecaps().map(({ type, bytes }) => [type, type === "key" ? bytes[3] : null])).toEqual([
      ["key", 1],
      ["key", 0],
      ["text", null],
      ["key", 1],
    ]);
  });

  test("enters a long text whole or not at all", () => {
    input.text("x".repeat(32 * 1024));
    expect(withoutRecaps().map(({ type, bytes }) => [type, bytes[3]])).toEqual([
      ...Array(31).fill(["text", 1]),
      ["text", 0],
    ]);

    input.text("x".repeat(32 * 1024 + 1));
    expect(withoutRecaps()).toHaveLength(32);
    expect(refusals).toBe(1);
  });

  test("counts a long text by its bytes, not by the pieces that it makes", () => {
    input.text("€".repeat(Math.floor((32 * 1024) / 3)));

    expect(withoutRecaps()).toHaveLength(33);
    expect(refusals).toBe(0);
  });

  test("presses a chord in order and releases it in reverse", () => {
    input.chord(["ControlLeft", "Delete"]);

    const codes = withoutRecaps().map(({ bytes }) => `${new TextDecoder().decode(bytes.subarray(5))} ${bytes[3]}`);
    expect(codes).toEqual(["ControlLeft 1", "Delete 1", "Delete 0", "ControlLeft 0"]);
  });

  test("ignores keys that have no code", () => {
    input.key("", true);
    input.key("Unidentified", true);

    expect(sent).toEqual([]);
  });

  test("begins anew with each peer", () => {
    input.shift(5, 5);
    input.key("KeyA", true);
    input.reset();
    input.setEnabled(true);
    input.shift(1, 1);
    vi.advanceTimersByTime(40);

    const last = sent.at(-1);
    expect([last?.type, last?.sequence, last?.bytes.at(-1)]).toEqual(["pointer_totals", 1, 1]);
    input.key("KeyB", true);
    expect(recaps().at(-1)).toEqual({ reach: 3, sequences: [2] });
  });

  test("repeats each event at once, and with the next ones", () => {
    input.key("KeyA", true);
    vi.advanceTimersByTime(30);
    input.key("KeyA", false);

    expect(sent.map(({ channel, type }) => `${channel} ${type}`)).toEqual([
      "keys key",
      "motion recap",
      "keys key",
      "motion recap",
    ]);
    expect(recaps()).toEqual([
      { reach: 2, sequences: [1] },
      { reach: 4, sequences: [1, 3] },
    ]);
  });

  test("repeats what came at once in one recap", () => {
    input.chord(["ControlLeft", "AltLeft", "Delete"]);
    vi.advanceTimersByTime(4);

    expect(recaps()).toEqual([
      { reach: 2, sequences: [1] },
      { reach: 8, sequences: [1, 3, 4, 5, 6, 7] },
    ]);
  });

  test("repeats the last recap, in case that it is lost as well", () => {
    input.chord(["KeyA"]);
    vi.advanceTimersByTime(1000);

    const last = recaps().slice(-3);
    expect(last.map(({ sequences }) => sequences)).toEqual([
      [1, 3],
      [1, 3],
      [1, 3],
    ]);
  });

  test("says in a recap with each heartbeat that no event is missing", () => {
    input.key("KeyA", true);
    vi.advanceTimersByTime(2000);
    const last = sent.at(-1);

    expect(sent.filter(({ type }) => type === "held")).toHaveLength(20);
    expect(recaps().at(-1)).toEqual({ reach: (last?.sequence ?? 0) - 1, sequences: [] });
  });
});

function readRecap(bytes: Uint8Array<ArrayBuffer>): { reach: number; sequences: number[] } {
  const view = new DataView(bytes.buffer);
  const sequences: number[] = [];
  for (let at = 8; at < bytes.length; at += 1 + view.getUint8(at)) sequences.push(view.getUint16(at + 2));
  return { reach: view.getUint32(3), sequences };
}
