/**
 * Reads members of JSON objects that came from outside, with a clear error for each that is not what it should be.
 *
 * Owns `ProtocolError`, the only error that leaves a parser of this folder. Unknown members are ignored.
 */

/** The server said something that the protocol does not allow. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export type Members = Readonly<Record<string, unknown>>;

/** Return the JSON object that `text` is, if it is no longer than `limitBytes`. */
export function parseObject(text: unknown, limitBytes: number): Members {
  // A UTF-16 unit is at least one byte of UTF-8, so a message within the limit never has more units than bytes.
  if (typeof text !== "string" || text.length > limitBytes) {
    throw new ProtocolError(`a message is not text of at most ${limitBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("a message is not JSON");
  }
  return asObject(value, "message");
}

export function asObject(value: unknown, name: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError(`${name} is not an object`);
  }
  return value as Members;
}

export function readString(members: Members, name: string): string {
  const value = members[name];
  if (typeof value !== "string") throw new ProtocolError(`${name} is not a string`);
  return value;
}

export function readNumber(members: Members, name: string): number {
  const value = members[name];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ProtocolError(`${name} is not a number`);
  return value;
}

export function readInteger(members: Members, name: string): number {
  const value = readNumber(members, name);
  if (!Number.isSafeInteger(value)) throw new ProtocolError(`${name} is not an integer`);
  return value;
}

export function readBoolean(members: Members, name: string): boolean {
  const value = members[name];
  if (typeof value !== "boolean") throw new ProtocolError(`${name} is not a boolean`);
  return value;
}

export function readList(members: Members, name: string): readonly unknown[] {
  const value = members[name];
  if (!Array.isArray(value)) throw new ProtocolError(`${name} is not a list`);
  return value;
}

/** Return what `read` makes of the member, or null where it is null or absent. */
export function readOptional<T>(members: Members, name: string, read: (members: Members, name: string) => T): T | null {
  return members[name] === undefined || members[name] === null ? null : read(members, name);
}
