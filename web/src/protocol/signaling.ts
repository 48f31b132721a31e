/**
 * The signaling conversation: one JSON object per text message of a WebSocket.
 *
 * Mirrors streamer/protocol/signaling.py; the messages are described in streamer/protocol/README.md and keep the names
 * of the wire. Knows nothing of sockets.
 */

import {
  asObject,
  type Members,
  ProtocolError,
  parseObject,
  readBoolean,
  readInteger,
  readList,
  readOptional,
  readString,
} from "./members";

export const VERSION = 1;
export const MAX_MESSAGE_BYTES = 65536;

export interface Welcome {
  type: "welcome";
  viewer: string;
  resume: string;
  ice_servers: RTCIceServer[];
}

export interface Offer {
  type: "offer";
  generation: number;
  sdp: string;
}

export interface Bye {
  type: "bye";
  reason: string;
  code: string;
  retry: boolean;
}

export type FromServer = Welcome | Offer | Bye;

export type FromViewer =
  | { type: "hello"; version: number; token?: string; resume?: string }
  | { type: "answer"; generation: number; sdp: string }
  | {
      type: "candidate";
      generation: number;
      candidate: string;
      sdp_mid: string | null;
      sdp_mline_index: number | null;
    }
  | { type: "end_of_candidates"; generation: number }
  | Bye;

/** Return the message that `text` is, or throw `ProtocolError`. */
export function parseSignaling(text: unknown): FromServer {
  const members = parseObject(text, MAX_MESSAGE_BYTES);
  const type = readString(members, "type");
  switch (type) {
    case "welcome":
      return parseWelcome(members);
    case "offer":
      return { type, generation: readInteger(members, "generation"), sdp: readString(members, "sdp") };
    case "bye":
      return {
        type,
        reason: readString(members, "reason"),
        code: readString(members, "code"),
        retry: readBoolean(members, "retry"),
      };
    default:
      throw new ProtocolError(`unknown signaling message ${JSON.stringify(type)}`);
  }
}

export function serializeSignaling(message: FromViewer): string {
  return JSON.stringify(message);
}

function parseWelcome(members: Members): Welcome {
  const version = readInteger(members, "version");
  if (version !== VERSION) throw new ProtocolError(`the server speaks version ${version}, this page ${VERSION}`);
  return {
    type: "welcome",
    viewer: readString(members, "viewer"),
    resume: readString(members, "resume"),
    ice_servers: readList(members, "ice_servers").map(parseIceServer),
  };
}

function parseIceServer(value: unknown): RTCIceServer {
  const members = asObject(value, "ice_servers");
  const server: RTCIceServer = {
    urls: readList(members, "urls").map((url) => {
      if (typeof url !== "string") throw new ProtocolError("urls holds something else than strings");
      return url;
    }),
  };
  const username = readOptional(members, "username", readString);
  const credential = readOptional(members, "credential", readString);
  if (username !== null) server.username = username;
  if (credential !== null) server.credential = credential;
  return server;
}
