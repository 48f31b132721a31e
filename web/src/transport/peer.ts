/**
 * One RTCPeerConnection, which answers: video in, three data channels opened by the server.
 *
 * Owns the connection and its channels and says when they are of no use any more. Knows nothing of the socket that the
 * offer came through. Lives once: a reconnection is a new peer.
 */

export type ChannelLabel = "control" | "motion" | "keys";

const LABELS: readonly ChannelLabel[] = ["control", "motion", "keys"];

// How long ICE may be without an answer before the peer is given up; it often recovers from shorter gaps by itself.
const DISCONNECTED_LIMIT_MS = 3000;
// RFC 3264, section 6: an answer refuses a section by giving it no port.
const REFUSED_VIDEO = /^m=video 0 /m;
// Motion that has piled up is stale: what comes later says more.
const MOTION_BACKLOG_BYTES = 4096;
// More than a hand does in the few round trips between the first picture and the channels.
const MAX_EARLY_KEYS = 256;

type Message = string | Uint8Array<ArrayBuffer>;

export interface PeerObserver {
  candidate(candidate: RTCIceCandidate): void;
  endOfCandidates(): void;
  /** Called once per track of the server, after `connected`: until then the page has better things to do. */
  track(event: RTCTrackEvent): void;
  connected(): void;
  /** All three channels are open. */
  channelsOpened(): void;
  /** A message of the channel `control`. */
  control(text: unknown): void;
  lost(reason: string): void;
}

export class Peer {
  readonly connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  readonly #observer: PeerObserver;
  readonly #channels = new Map<string, RTCDataChannel>();
  #isAnswered = false;
  #earlyCandidates: (RTCIceCandidate | null)[] = [];
  #earlyKeys: Message[] = [];
  #tracks: RTCTrackEvent[] = [];
  #disconnectedTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Make the connection, which may well happen before the server is known: certificates take a while. */
  constructor(observer: PeerObserver) {
    this.#observer = observer;
    this.connection.onicecandidate = (event) => this.#candidate(event.candidate);
    this.connection.onconnectionstatechange = () => this.#stateChanged();
    this.connection.ondatachannel = (event) => this.#adopt(event.channel);
    this.connection.ontrack = (event) => this.#track(event);
  }

  /** Name the STUN and TURN servers. Before `answer`. */
  configure(iceServers: RTCIceServer[]): void {
    if (iceServers.length > 0) this.connection.setConfiguration({ bundlePolicy: "max-bundle", iceServers });
  }

  /** Apply the server's offer and hand over the answer; candidates follow it one by one. */
  async answer(offer: string, send: (answer: string) => void): Promise<void> {
    await this.connection.setRemoteDescription({ type: "offer", sdp: offer });
    const answer = await this.#applyAnswer();
    if (this.#isClosed) return;
    send(answer);
    this.#isAnswered = true;
    for (const candidate of this.#earlyCandidates.splice(0)) this.#candidate(candidate);
  }

  /**
   * Send on a channel; return false when it is not open, or when too much motion waits in it. What is sent on `keys` before
   * that channel opens waits for it: the picture may well be seen, and answered, earlier.
   */
  send(label: ChannelLabel, message: Message): boolean {
    const channel = this.#channels.get(label);
    if (channel === undefined) return label === "keys" && this.#keep(message);
    if (channel.readyState !== "open") return false;
    if (label === "motion" && channel.bufferedAmount > MOTION_BACKLOG_BYTES) return false;
    transmit(channel, message);
    return true;
  }

  /** Give everything up. The observer hears nothing more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#disconnectedTimer);
    this.connection.close();
  }

  /**
   * Make the answer and apply it, unless it refuses the video: Chromium fails to apply that, because the section of the
   * channels is left with a transport that was not offered to stand alone. The server is to see the refusal all the same,
   * and to say what it means.
   */
  async #applyAnswer(): Promise<string> {
    const answer = await this.connection.createAnswer();
    if (!REFUSED_VIDEO.test(answer.sdp ?? "")) await this.connection.setLocalDescription(answer);
    return this.connection.localDescription?.sdp ?? answer.sdp ?? "";
  }

  #candidate(candidate: RTCIceCandidate | null): void {
    if (this.#isClosed) return;
    if (!this.#isAnswered) this.#earlyCandidates.push(candidate);
    // An empty candidate ends those of one generation of ICE; null ends them all.
    else if (candidate === null) this.#observer.endOfCandidates();
    else if (candidate.candidate !== "") this.#observer.candidate(candidate);
  }

  #track(event: RTCTrackEvent): void {
    if (event.track.kind === "video") playAtOnce(event.receiver);
    if (this.connection.connectionState === "connected") this.#observer.track(event);
    else this.#tracks.push(event);
  }

  #connected(): void {
    this.#observer.connected();
    for (const event of this.#tracks.splice(0)) this.#observer.track(event);
  }

  #keep(message: Message): boolean {
    return this.#earlyKeys.length < MAX_EARLY_KEYS && this.#earlyKeys.push(message) > 0;
  }

  #adopt(channel: RTCDataChannel): void {
    channel.onclose = () => this.#lose(`the channel "${channel.label}" closed`);
    if (channel.label === "control")
      channel.onmessage = (event) => this.#isClosed || this.#observer.control(event.data);
    if (channel.readyState === "open") this.#channelOpened(channel);
    else channel.onopen = () => this.#channelOpened(channel);
  }

  #channelOpened(channel: RTCDataChannel): void {
    if (this.#isClosed) return;
    this.#channels.set(channel.label, channel);
    if (channel.label === "keys") for (const message of this.#earlyKeys.splice(0)) transmit(channel, message);
    if (LABELS.every((label) => this.#channels.has(label))) this.#observer.channelsOpened();
  }

  #stateChanged(): void {
    const state = this.connection.connectionState;
    clearTimeout(this.#disconnectedTimer);
    if (this.#isClosed) return;
    if (state === "connected") this.#connected();
    else if (state === "failed" || state === "closed") this.#lose("the media connection failed");
    else if (state === "disconnected") {
      this.#disconnectedTimer = setTimeout(() => this.#lose("the media connection fell silent"), DISCONNECTED_LIMIT_MS);
    }
  }

  #lose(reason: string): void {
    if (!this.#isClosed) this.#observer.lost(reason);
  }
}

function transmit(channel: RTCDataChannel, message: Message): void {
  // Two calls, because the overloads of `send` do not take the union.
  if (typeof message === "string") channel.send(message);
  else channel.send(message);
}

/** Ask for no waiting between arrival and decoding. Video only: audio without a buffer drops out. */
function playAtOnce(receiver: RTCRtpReceiver): void {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  if ("playoutDelayHint" in receiver) (receiver as { playoutDelayHint: number }).playoutDelayHint = 0;
}
