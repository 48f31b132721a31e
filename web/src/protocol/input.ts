/**
 * The input messages: bytes for the data channels `motion` and `keys`.
 *
 * Mirrors streamer/protocol/input.py, for the direction in which the page speaks; streamer/protocol/README.md describes
 * the bytes, and tests/vectors/input.json holds them for both languages. Knows nothing of channels or events.
 */

export const MAX_CODE_BYTES = 32;
export const MAX_TEXT_BYTES = 1024;
export const MAX_ENTRY_BYTES = 32 * 1024;
export const MAX_HELD_CODES = 32;
export const MAX_RECAP_EVENTS = 32;
export const BUTTONS = 5;

export type Motion =
  | { type: "pointer"; x: number; y: number }
  | { type: "pointer_totals"; x: number; y: number }
  | { type: "wheel_totals"; x: number; y: number };

export type KeysEvent =
  | { type: "key"; code: string; is_down: boolean }
  | { type: "button"; button: number; is_down: boolean; is_locked: boolean; x: number; y: number }
  | { type: "text"; text: string; has_more: boolean }
  | { type: "release_all" };

/** All events after the message that is `reach` numbers older, as they went out, oldest first. */
export interface Recap {
  type: "recap";
  reach: number;
  events: readonly Uint8Array[];
}

export type MotionMessage = Motion | Recap;
export type KeysMessage = KeysEvent | { type: "held"; buttons: number; codes: readonly string[] };
export type InputMessage = MotionMessage | KeysMessage;

const TYPE_BYTES = {
  pointer: 0x01,
  pointer_totals: 0x02,
  wheel_totals: 0x03,
  recap: 0x04,
  key: 0x10,
  button: 0x11,
  text: 0x12,
  held: 0x13,
  release_all: 0x14,
} as const;

const IS_DOWN = 1;
const IS_LOCKED = 2;
const HAS_MORE = 1;
const HEADER_BYTES = 3;

const CODE = /^[A-Za-z0-9]{1,32}$/;
const encoder = new TextEncoder();

/** Return whether `code` can be sent: some keys have none, or the name "" on strange keyboards. */
export function isSendableCode(code: string): boolean {
  return CODE.test(code) && code !== "Unidentified";
}

/** Return the bytes of `message` with the given sequence number; throw `RangeError` where a member does not fit. */
export function serializeInput(message: InputMessage, sequence: number): Uint8Array<ArrayBuffer> {
  const bytes = body(message);
  bytes[0] = TYPE_BYTES[message.type];
  viewOf(bytes).setUint16(1, sequence & 0xffff);
  return bytes;
}

/** Return how many bytes of UTF-8 `text` is. */
export function textBytes(text: string): number {
  return encoder.encode(text).length;
}

/** Cut `text` into pieces of at most `MAX_TEXT_BYTES` bytes of UTF-8, never inside a character. */
export function splitText(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  let pieceBytes = 0;
  for (const character of text) {
    const characterBytes = textBytes(character);
    if (pieceBytes + characterBytes > MAX_TEXT_BYTES) {
      pieces.push(piece);
      piece = "";
      pieceBytes = 0;
    }
    piece += character;
    pieceBytes += characterBytes;
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}

/** Return a message whose header is still empty. */
function body(message: InputMessage): Uint8Array<ArrayBuffer> {
  switch (message.type) {
    case "pointer":
      return position(message.x, message.y);
    case "pointer_totals":
    case "wheel_totals":
      return totals(message.x, message.y);
    case "recap":
      return recap(message);
    case "key":
      return concatenate([message.is_down ? IS_DOWN : 0], codeBytes(message.code));
    case "button":
      return button(message);
    case "text":
      return text(message.text, message.has_more);
    case "held":
      return held(message.buttons, message.codes);
    case "release_all":
      return concatenate();
  }
}

function position(x: number, y: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + 4);
  viewOf(bytes).setUint16(3, inRange(x, 0, 65535, "x"));
  viewOf(bytes).setUint16(5, inRange(y, 0, 65535, "y"));
  return bytes;
}

function totals(x: number, y: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + 8);
  viewOf(bytes).setInt32(3, x);
  viewOf(bytes).setInt32(7, y);
  return bytes;
}

function recap({ reach, events }: Recap): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(5);
  viewOf(head).setUint32(0, inRange(reach, 0, 0xffffffff, "reach"));
  viewOf(head).setUint8(4, inRange(events.length, 0, MAX_RECAP_EVENTS, "events"));
  return concatenate(head, ...events.flatMap((event) => [[inRange(event.length, 0, 255, "event length")], event]));
}

function button(message: KeysEvent & { type: "button" }): Uint8Array<ArrayBuffer> {
  const limit = message.is_locked ? 0x7fffffff : 65535;
  const bytes = new Uint8Array(HEADER_BYTES + 10);
  const view = viewOf(bytes);
  view.setUint8(3, inRange(message.button, 0, BUTTONS - 1, "button"));
  view.setUint8(4, (message.is_down ? IS_DOWN : 0) | (message.is_locked ? IS_LOCKED : 0));
  view.setInt32(5, inRange(message.x, message.is_locked ? -0x80000000 : 0, limit, "x"));
  view.setInt32(9, inRange(message.y, message.is_locked ? -0x80000000 : 0, limit, "y"));
  return bytes;
}

function text(value: string, hasMore: boolean): Uint8Array<ArrayBuffer> {
  const utf8 = encoder.encode(value);
  inRange(utf8.length, 1, MAX_TEXT_BYTES, "text length");
  return concatenate([hasMore ? HAS_MORE : 0, utf8.length >> 8, utf8.length & 0xff], utf8);
}

function held(buttons: number, codes: readonly string[]): Uint8Array<ArrayBuffer> {
  inRange(buttons, 0, (1 << BUTTONS) - 1, "buttons");
  inRange(codes.length, 0, MAX_HELD_CODES, "held keys");
  return concatenate([buttons, codes.length], ...codes.map(codeBytes));
}

/** Return the length byte and the characters of a `KeyboardEvent.code`. */
function codeBytes(code: string): number[] {
  if (!CODE.test(code)) throw new RangeError(`${JSON.stringify(code)} is not the code of a key`);
  return [code.length, ...encoder.encode(code)];
}

function concatenate(...parts: ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, HEADER_BYTES));
  let at = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer);
}

function inRange(value: number, lowest: number, highest: number, name: string): number {
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new RangeError(`${name} ${value} is not an integer from ${lowest} to ${highest}`);
  }
  return value;
}
