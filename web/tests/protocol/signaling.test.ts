import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/protocol/members";
import { MAX_MESSAGE_BYTES, parseSignaling, serializeSignaling } from "../../src/protocol/signaling";

const WELCOME = {
  type: "welcome",
  version: 1,
  viewer: "v",
  resume: "r",
  ice_servers: [{ urls: ["stun:a"] }, { urls: ["turn:b", "turn:c"], username: "u", credential: "p" }],
  limits: { message_bytes: 65536, messages_per_s: 50 },
};

describe("parseSignaling", () => {
  test("reads a welcome with its ice servers", () => {
    const message = parseSignaling(JSON.stringify(WELCOME));

    expect(message).toMatchObject({ type: "welcome", viewer: "v", resume: "r", ice_servers: WELCOME.ice_servers });
  });

  test("takes credentials that are null for absent", () => {
    const servers = [{ urls: ["stun:a"], username: null, credential: null }];

    const message = parseSignaling(JSON.stringify({ ...WELCOME, ice_servers: servers }));

    expect(message).toMatchObject({ ice_servers: [{ urls: ["stun:a"] }] });
  });

  test.each([
    { type: "offer", generation: 3, sdp: "v=0" },
    { type: "bye", reason: "The session has ended.", code: "session_ended", retry: false },
  ])("reads $type and ignores members that it does not know", (message) => {
    expect(parseSignaling(JSON.stringify({ ...message, later: 1 }))).toEqual(message);
  });

  test.each<[string, unknown]>([
    ["bytes", new ArrayBuffer(2)],
    ["no JSON", "{"],
    ["a list", "[]"],
    ["no type", "{}"],
    ["an unknown type", '{"type":"hello"}'],
    ["a generation that is no integer", '{"type":"offer","generation":1.5,"sdp":""}'],
    ["an offer without a description", '{"type":"offer","generation":1}'],
    ["a bye whose retry is no boolean", '{"type":"bye","reason":"","code":"left","retry":1}'],
    ["another version", JSON.stringify({ ...WELCOME, version: 2 })],
    ["an address that is no string", JSON.stringify({ ...WELCOME, ice_servers: [{ urls: [1] }] })],
    ["more than the limit", `"${"x".repeat(MAX_MESSAGE_BYTES)}"`],
  ])("rejects %s", (_name, text) => {
    expect(() => parseSignaling(text)).toThrow(ProtocolError);
  });
});

test("a hello without token and resume has neither member", () => {
  expect(serializeSignaling({ type: "hello", version: 1 })).toBe('{"type":"hello","version":1}');
});
