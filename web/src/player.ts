/**
 * The player without its controls: connects, shows the stream in a video element, carries input, and says what happens.
 *
 * Embed it where `<render-stream>` is too much. `input/capture.ts` turns the events of an element into its input; it
 * draws nothing itself.
 */

import { InputSender, type SentButton } from "./input/sender";
import { type FromViewer, parseControl, type Seat, type Stream, serializeControl } from "./protocol/control";
import { type Sample, Sampler } from "./stats/sampler";
import { type ConnectionView, Connector } from "./transport/connector";
import { signalingUrl } from "./transport/socket";
import { type FirstFrame, Picture } from "./video/picture";
import { Watchdog } from "./video/watchdog";

export interface PlayerOptions {
  /** Where the server's signaling is, as seen from the page. */
  signaling?: string;
  /** The secret that lets a viewer in, where the server wants one. */
  token?: string | null;
  /** The element to play in; `Player.video` is a new one where this is missing. */
  video?: HTMLVideoElement;
}

/** Why a text was not entered: it is longer than `MAX_ENTRY_BYTES`, or earlier text is still being entered. */
export type TextRefusal = "too_long" | "too_soon";

/** The events of a player; each is a `CustomEvent` with this detail. */
export interface PlayerEvents {
  /** The connection went on to another state. */
  state: ConnectionView;
  /** The peer is about to be closed, and its picture will turn black: the last moment to keep it. */
  disconnecting: null;
  /** Whether this viewer's input counts, and how many are watching. */
  seat: Seat;
  /** What is being sent. */
  stream: Stream;
  /** Once a second while connected. */
  statistics: Sample;
  /** The first frame of a peer was presented. */
  firstframe: FirstFrame;
  /** A button message went out. */
  input: SentButton;
  /** A text was not entered, no part of it. */
  textrefused: TextRefusal;
  /** The browser wants a gesture before it plays: call `play` from one. */
  blocked: boolean;
}

/** What lives as long as one peer. */
interface Meters {
  sampler: Sampler;
  watchdog: Watchdog;
}

// The first frame of all, on the page's timeline: `performance.getEntriesByName("first-frame")`.
const FIRST_FRAME_MARK = "first-frame";

export class Player extends EventTarget {
  readonly input: InputSender;
  readonly #connector: Connector;
  readonly #options: PlayerOptions;
  #picture: Picture | null = null;
  #meters: Meters | null = null;
  #seat: Seat | null = null;
  #stream: Stream | null = null;
  #isMarked = false;

  constructor(options: PlayerOptions = {}) {
    super();
    this.#options = options;
    const url = signalingUrl(options.signaling ?? "/signaling", document.baseURI);
    this.#connector = new Connector(url, options.token ?? null, {
      viewChanged: (view) => this.#viewChanged(view),
      track: (event) => this.#screen().show(event.track),
      channelsOpened: () => this.#begin(),
      control: (text) => this.#control(text),
      disconnecting: () => this.#disconnecting(),
    });
    this.input = new InputSender({
      send: (channel, bytes) => this.#connector.peer?.send(channel, bytes) ?? false,
      buttonSent: (sent) => this.#emit("input", sent),
      textRefused: () => this.#emit("textrefused", "too_long"),
    });
  }

  get video(): HTMLVideoElement {
    return this.#screen().video;
  }

  /** The connection of the moment, for measurements: its receivers have the track and the statistics. */
  get peerConnection(): RTCPeerConnection | null {
    return this.#connector.peer?.connection ?? null;
  }

  get view(): ConnectionView {
    return this.#connector.view;
  }

  get seat(): Seat | null {
    return this.#seat;
  }

  get stream(): Stream | null {
    return this.#stream;
  }

  /** Return the server's monotonic clock at an instant of `performance.now()`; null until the clocks are mapped. */
  toServerUs(pageMs: number): number | null {
    return this.#meters?.sampler.clock.toServerUs(pageMs) ?? null;
  }

  /** Connect; while a reconnection is waited for, try at once. */
  open(): void {
    document.addEventListener("visibilitychange", this.#visibilityChanged);
    this.#connector.open();
  }

  /** Connect with another token, unless that is the one that the present connection was made with. */
  enter(token: string): void {
    this.input.releaseAll();
    this.#connector.use(token);
    this.open();
  }

  /** Say goodbye to the server. The last picture stays. */
  close(): void {
    document.removeEventListener("visibilitychange", this.#visibilityChanged);
    this.input.releaseAll();
    this.#connector.close();
  }

  /** Play after a `blocked` event, from a gesture of the viewer. */
  play(): void {
    this.#screen().play();
  }

  /** Call `listener` with the detail of each such event; return how to stop that. */
  on<Name extends keyof PlayerEvents>(name: Name, listener: (detail: PlayerEvents[Name]) => void): () => void {
    const relay = (event: Event) => listener((event as CustomEvent<PlayerEvents[Name]>).detail);
    this.addEventListener(name, relay);
    return () => this.removeEventListener(name, relay);
  }

  /** Return the picture, which is made when first asked for: a media element takes longer to make than a socket. */
  #screen(): Picture {
    this.#picture ??= new Picture(this.#options.video ?? document.createElement("video"), {
      firstFrame: (frame) => this.#firstFrame(frame),
      blocked: (isBlocked) => this.#emit("blocked", isBlocked),
    });
    return this.#picture;
  }

  #emit<Name extends keyof PlayerEvents>(name: Name, detail: PlayerEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #viewChanged(view: ConnectionView): void {
    this.#followSeat();
    this.#emit("state", view);
  }

  #begin(): void {
    const { peerConnection } = this;
    if (peerConnection === null) return;
    const picture = this.#screen();
    this.#meters = {
      sampler: new Sampler(
        picture,
        peerConnection,
        (message) => this.#send(message),
        (sample) => this.#emit("statistics", sample),
      ),
      watchdog: new Watchdog(picture, peerConnection, () =>
        this.#send({ type: "keyframe", reason: "payload arrives, but no frame completes" }),
      ),
    };
    if (document.hidden) this.#send({ type: "pause", is_paused: true });
  }

  #disconnecting(): void {
    this.#emit("disconnecting", null);
    this.#seat = null;
    this.#meters?.sampler.close();
    this.#meters?.watchdog.close();
    this.#meters = null;
    this.input.reset();
  }

  #control(text: unknown): void {
    let message: ReturnType<typeof parseControl>;
    try {
      message = parseControl(text);
    } catch (error) {
      this.#connector.offended(error instanceof Error ? error.message : String(error));
      return;
    }
    switch (message.type) {
      case "pong":
        this.#meters?.sampler.pong(message);
        break;
      case "statistics":
        this.#meters?.sampler.statistics(message);
        break;
      case "seat":
        this.#seat = message;
        this.#followSeat();
        this.#emit("seat", message);
        break;
      case "text_refused":
        this.#emit("textrefused", "too_soon");
        break;
      case "stream":
        this.#stream = message;
        this.#emit("stream", message);
        break;
    }
  }

  /** Take input unless it is known to be somebody else's turn: whose input counts is decided by the server. */
  #followSeat(): void {
    this.input.setEnabled(this.#connector.view.state === "connected" && this.#seat?.is_holder !== false);
  }

  #firstFrame(frame: FirstFrame): void {
    if (!this.#isMarked) performance.mark(FIRST_FRAME_MARK);
    this.#isMarked = true;
    this.#emit("firstframe", frame);
  }

  #send(message: FromViewer): void {
    this.#connector.peer?.send("control", serializeControl(message));
  }

  readonly #visibilityChanged = (): void => {
    if (document.hidden) this.input.releaseAll();
    this.#send({ type: "pause", is_paused: document.hidden });
  };
}
