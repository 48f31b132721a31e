/**
 * Keeps a peer connected to the server: dials, says hello, answers, and comes back after a loss.
 *
 * Carries out the table of `states.ts`. Knows nothing of pictures and input: whoever made it is told of tracks, channels
 * and control messages.
 */

import { type Bye, type FromServer, VERSION, type Welcome } from "../protocol/signaling";
import { Backoff } from "./backoff";
import { Peer, type PeerObserver } from "./peer";
import { SignalingSocket } from "./socket";
import { type Happening, type State, transition } from "./states";

// From the first attempt to reach the server until media can flow.
const CONNECT_LIMIT_MS = 10_000;

/** What there is to show of the connection. */
export interface ConnectionView {
  state: State;
  /** Whether media has flowed before: then this is a reconnection. */
  hasConnected: boolean;
  /** Why the last connection ended, for people; null while there is nothing to say. */
  reason: string | null;
  /** When the next attempt is due, on the clock of `performance.now()`; null unless waiting. */
  retryAtMs: number | null;
}

export interface ConnectorObserver {
  viewChanged(view: ConnectionView): void;
  track(event: RTCTrackEvent): void;
  channelsOpened(): void;
  control(text: unknown): void;
  /** The peer is about to be closed: what it showed goes with it. */
  disconnecting(): void;
}

export class Connector {
  readonly #observer: ConnectorObserver;
  readonly #backoff = new Backoff();
  #url: URL;
  #token: string | null;
  #state: State = "closed";
  #socket: SignalingSocket | null = null;
  #peer: Peer | null = null;
  #generation: number | null = null;
  #iceServers: RTCIceServer[] = [];
  #resume: string | null = null;
  #hasConnected = false;
  #reason: string | null = null;
  #retryAtMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: URL, token: string | null, observer: ConnectorObserver) {
    this.#url = url;
    this.#token = token;
    this.#observer = observer;
  }

  get view(): ConnectionView {
    return {
      state: this.#state,
      hasConnected: this.#hasConnected,
      reason: this.#reason,
      retryAtMs: this.#retryAtMs,
    };
  }

  get peer(): Peer | null {
    return this.#peer;
  }

  /** Connect, or try again at once if an attempt is being waited for. */
  open(): void {
    this.#backoff.reset();
    this.#happen("open");
  }

  /** Say hello with this token from now on; a connection that was made with another one ends. */
  use(token: string): void {
    if (token !== this.#token) this.close();
    this.#token = token;
  }

  /** Say goodbye and stay away until `open`. */
  close(): void {
    this.#happen("close");
  }

  /** Give the server up because of what it said, and say so to it. */
  offended(reason: string): void {
    this.#sayBye({ type: "bye", reason, code: "protocol_error", retry: false });
    this.#happen("refused", `The server broke the protocol: ${reason}.`);
  }

  #happen(happening: Happening, reason: string | null = null): boolean {
    const next = transition(this.#state, happening);
    if (next === null) return false;
    const [state, action] = next;
    this.#state = state;
    this.#retryAtMs = null;
    if (reason !== null) this.#reason = reason;
    switch (action) {
      case "dial":
        this.#dial();
        break;
      case "settle":
        this.#settle();
        break;
      case "retreat":
        this.#drop();
        this.#arrangeRetry();
        break;
      case "leave":
        this.#sayBye({ type: "bye", reason: "The viewer left.", code: "left", retry: false });
        this.#drop();
        break;
      case "drop":
        this.#drop();
        break;
      case "configure":
      case "answer":
        // These need what came with the message: `#received` carries them out.
        break;
    }
    this.#observer.viewChanged(this.view);
    return true;
  }

  #dial(): void {
    this.#generation = null;
    this.#socket = new SignalingSocket(this.#url, {
      opened: () => this.#sayHello(),
      received: (message) => this.#received(message),
      offended: (reason) => this.offended(reason),
      lost: (reason) => this.#happen("lost", reason),
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#happen("lost", "the server took too long"), CONNECT_LIMIT_MS);
  }

  #sayHello(): void {
    const token = this.#token === null ? {} : { token: this.#token };
    const resume = this.#resume === null ? {} : { resume: this.#resume };
    this.#socket?.send({ type: "hello", version: VERSION, ...token, ...resume });
    // Making a connection keeps the page busy for some 10 ms: those are spent while the server makes its offer.
    this.#peer = new Peer(this.#peerObserver());
  }

  #received(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        if (this.#happen("welcomed")) this.#configure(message);
        else this.offended("a welcome at the wrong moment");
        break;
      case "offer":
        if (this.#happen("offered")) void this.#answer(message.generation, message.sdp);
        else this.offended("an offer at the wrong moment");
        break;
      case "bye":
        this.#happen(message.retry ? "lost" : "refused", message.reason);
        break;
    }
  }

  #configure(welcome: Welcome): void {
    this.#resume = welcome.resume;
    this.#iceServers = welcome.ice_servers;
    this.#peer?.configure(welcome.ice_servers);
  }

  async #answer(generation: number, offer: string): Promise<void> {
    const peer = this.#peerOf(generation);
    try {
      await peer.answer(offer, (sdp) => this.#socket?.send({ type: "answer", generation, sdp }));
    } catch (error) {
      // A peer that was closed meanwhile rejects too; then nobody waits for it.
      if (peer !== this.#peer) return;
      this.#sayBye({ type: "bye", reason: String(error), code: "peer_failed", retry: true });
      this.#happen("lost", "the offer could not be answered");
    }
  }

  /** Return the peer of a generation: the waiting one for the first, a new one in its place for each later one. */
  #peerOf(generation: number): Peer {
    if (this.#peer === null || (this.#generation !== null && this.#generation !== generation)) {
      this.#dropPeer();
      this.#peer = new Peer(this.#peerObserver());
      this.#peer.configure(this.#iceServers);
    }
    this.#generation = generation;
    return this.#peer;
  }

  #peerObserver(): PeerObserver {
    return {
      candidate: (candidate) =>
        this.#socket?.send({
          type: "candidate",
          generation: this.#generation ?? 0,
          candidate: candidate.candidate,
          sdp_mid: candidate.sdpMid,
          sdp_mline_index: candidate.sdpMLineIndex,
        }),
      endOfCandidates: () => this.#socket?.send({ type: "end_of_candidates", generation: this.#generation ?? 0 }),
      track: (event) => this.#observer.track(event),
      connected: () => this.#happen("peer_connected"),
      channelsOpened: () => this.#observer.channelsOpened(),
      control: (text) => this.#observer.control(text),
      lost: (reason) => this.#happen("lost", reason),
    };
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#hasConnected = true;
    this.#reason = null;
    this.#backoff.connected(performance.now());
  }

  #arrangeRetry(): void {
    const delayMs = this.#backoff.nextDelayMs(performance.now());
    this.#retryAtMs = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#happen("retry_due"), delayMs);
  }

  #sayBye(bye: Bye): void {
    this.#socket?.send(bye);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
    this.#dropPeer();
  }

  #dropPeer(): void {
    if (this.#peer === null) return;
    this.#observer.disconnecting();
    this.#peer.close();
    this.#peer = null;
  }
}
