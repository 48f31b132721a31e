/**
 * The video element: shows the track of the newest peer, and notes when frames are presented.
 *
 * Reads no pixels.
 */

/** The first frame of a peer, as `requestVideoFrameCallback` told it. */
export interface FirstFrame {
  nowMs: number;
  metadata: VideoFrameCallbackMetadata;
}

export interface PictureObserver {
  firstFrame(frame: FirstFrame): void;
  /** The browser wants a gesture of the viewer before it plays, or no longer does. */
  blocked(isBlocked: boolean): void;
}

// The metadata of remote video has more than TypeScript's library knows.
type Metadata = VideoFrameCallbackMetadata & { receiveTime?: DOMHighResTimeStamp };

export class Picture {
  readonly video: HTMLVideoElement;
  readonly #observer: PictureObserver;
  #presentedAtMs = Number.NEGATIVE_INFINITY;
  #frames = 0;
  #isFirst = false;
  #receiveToPresentMs: number[] = [];

  constructor(video: HTMLVideoElement, observer: PictureObserver) {
    this.video = video;
    this.#observer = observer;
    video.muted = true;
    video.playsInline = true;
    video.autoplay = true;
    video.disableRemotePlayback = true;
    this.#listen();
  }

  /** When the last frame was presented, on the clock of `performance.now()`. */
  get presentedAtMs(): number {
    return this.#presentedAtMs;
  }

  /** How many frames the page saw presented. */
  get frames(): number {
    return this.#frames;
  }

  /** Show this track from its first frame on. */
  show(track: MediaStreamTrack): void {
    // A new stream each time: with another track in the same one, Chromium schedules frames by the clock of the old.
    this.video.srcObject = new MediaStream([track]);
    this.#isFirst = true;
    this.play();
  }

  play(): void {
    this.video.play().then(
      () => this.#observer.blocked(false),
      // Other rejections only say that another `play` or track came in between.
      (error: unknown) => this.#observer.blocked(error instanceof DOMException && error.name === "NotAllowedError"),
    );
  }

  /** Return, for each frame since the last call, how long it took from its last packet to the screen. */
  takeReceiveToPresentMs(): number[] {
    return this.#receiveToPresentMs.splice(0);
  }

  #listen(): void {
    this.video.requestVideoFrameCallback((now, metadata) => {
      this.#presented(now, metadata);
      this.#listen();
    });
  }

  #presented(nowMs: number, metadata: Metadata): void {
    this.#presentedAtMs = nowMs;
    this.#frames += 1;
    // Not `expectedDisplayTime`: it jumps by whole frames, and by seconds when the track changes.
    // Not until `nowMs`: that is when the screen's turn began, which can be before the frame came.
    if (metadata.receiveTime !== undefined) this.#receiveToPresentMs.push(performance.now() - metadata.receiveTime);
    if (!this.#isFirst) return;
    this.#isFirst = false;
    this.#observer.firstFrame({ nowMs, metadata });
  }
}
