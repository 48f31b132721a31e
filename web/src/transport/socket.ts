/**
 * The WebSocket that signaling travels through: messages in, messages out, and why it ended.
 *
 * Knows the form of the messages and nothing of when which one is allowed.
 */

import { type FromServer, type FromViewer, parseSignaling, serializeSignaling } from "../protocol/signaling";

export interface SocketObserver {
  opened(): void;
  received(message: FromServer): void;
  /** The server broke the protocol. */
  offended(reason: string): void;
  lost(reason: string): void;
}

export class SignalingSocket {
  readonly #socket: WebSocket;
  #isClosed = false;

  constructor(url: URL, observer: SocketObserver) {
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.#isClosed || observer.opened();
    this.#socket.onmessage = (event) => this.#isClosed || this.#received(event.data, observer);
    this.#socket.onclose = (event) => {
      if (!this.#isClosed) observer.lost(event.reason || "the server cannot be reached");
    };
  }

  send(message: FromViewer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(serializeSignaling(message));
  }

  /** Close; the observer hears nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #received(data: unknown, observer: SocketObserver): void {
    let message: FromServer;
    try {
      message = parseSignaling(data);
    } catch (error) {
      observer.offended(error instanceof Error ? error.message : String(error));
      return;
    }
    observer.received(message);
  }
}

/** Return the WebSocket address that `address`, seen from the page at `base`, means. */
export function signalingUrl(address: string, base: string): URL {
  const url = new URL(address, base);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  // Tokens travel in `hello` alone; a fragment is not allowed in the address of a WebSocket either.
  url.hash = "";
  return url;
}
