import { describe, expect, test } from "vitest";
import vectors from "../../../tests/vectors/input.json";
import { type InputMessage, type KeysEvent, MAX_TEXT_BYTES, serializeInput, splitText } from "../../src/protocol/input";

const hexOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (text: string) => new TextEncoder().encode(text).length;

describe("serializeInput", () => {
  test.each(vectors.valid)("writes the bytes of the shared vector: $name", ({ hex, message }) => {
    const bytes = serializeInput(messageOf(message), message.sequence);

    expect(hexOf(bytes)).toBe(hex);
  });

  test("wraps the sequence after 65535", () => {
    const bytes = serializeInput({ type: "release_all" }, 65536 + 7);

    expect([...bytes]).toEqual([0x14, 0, 7]);
  });

  test.each<[string, InputMessage]>([
    ["a position beyond the edge", { type: "pointer", x: 65536, y: 0 }],
    ["a position that is no integer", { type: "pointer", x: 0.5, y: 0 }],
    ["a button without a place in the held set", { ...buttonAt(0, 0), button: 5 }],
    ["a free button at a negative position", buttonAt(-1, 0)],
    ["an empty code", { type: "key", code: "", is_down: true }],
    ["a code with a strange character", { type: "key", code: "Key-A", is_down: true }],
    ["an empty text", { type: "text", text: "", has_more: false }],
    ["a text that is too long", { type: "text", text: "x".repeat(MAX_TEXT_BYTES + 1), has_more: false }],
    ["more held keys than a message has room for", { type: "held", buttons: 0, codes: Array(33).fill("KeyA") }],
    ["a recap of too many events", { type: "recap", reach: 99, events: Array(33).fill(new Uint8Array(3)) }],
    ["a recap of an event that is too long", { type: "recap", reach: 9, events: [new Uint8Array(256)] }],
    ["a recap that reaches ahead", { type: "recap", reach: -1, events: [] }],
    ["a sixth held button", { type: "held", buttons: 32, codes: [] }],
  ])("refuses %s", (_name, message) => {
    expect(() => serializeInput(message, 0)).toThrow(RangeError);
  });
});

describe("splitText", () => {
  test("leaves a text that fits in one piece", () => {
    const text = "x".repeat(MAX_TEXT_BYTES);

    expect(splitText(text)).toEqual([text]);
  });

  test("cuts no character apart", () => {
    const text = `x${"😀".repeat(600)}`;

    const pieces = splitText(text);

    expect(pieces.join("")).toBe(text);
    expect(pieces.every((piece) => bytesOf(piece) <= MAX_TEXT_BYTES)).toBe(true);
    expect(pieces).toHaveLength(Math.ceil(600 / Math.floor(MAX_TEXT_BYTES / 4)));
  });

  test("makes nothing of nothing", () => {
    expect(splitText("")).toEqual([]);
  });
});

type Vector = (typeof vectors.valid)[number]["message"];

function messageOf(message: Vector): InputMessage {
  if (!("events" in message)) return message as unknown as InputMessage;
  const events = message.events as unknown as (KeysEvent & { sequence: number })[];
  const written = events.map((event) => serializeInput(event, event.sequence));
  return { type: "recap", reach: message.reach as number, events: written };
}

function buttonAt(x: number, y: number): InputMessage & { type: "button" } {
  return { type: "button", button: 0, is_down: true, is_locked: false, x, y };
}
