/**
 * The video element: shows the track of the newest peer, and notes when frames are presented.
 *
 * Reads no pixels.
 */

import type { PresentedFrame } from "../stats/freezes";

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
type Metadata = VideoFrameCallbackMetadata & { receiveTime?: DOMHighResTimeStamp; rtpTimestamp?: number };

/** A frame that was presented. */
export interface Presented extends PresentedFrame {
  /** How long it took from its last packet to the screen; null where the browser does not tell. */
  receiveToPresentMs: number | null;
}

export class Picture {
  readonly video: HTMLVideoElement;
  readonly #observer: PictureObserver;
  #presentedAtMs = Number.NEGATIVE_INFINITY;
  #isFirst = false;
  #frames: Presented[] = [];

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

  /** Return the frames that the page saw presented since the last call. */
  takeFrames(): Presented[] {
    return this.#frames.splice(0);
  }

  #listen(): void {
    this.video.requestVideoFrameCallback((now, metadata) => {
      this.#presented(now, metadata);
      this.#listen();
    });
  }

  #presented(nowMs: number, metadata: Metadata): void {
    this.#presentedAtMs = nowMs;
    // Not `expectedDisplayTime`: it jumps by whole frames, and by seconds when the track changes.
    // Not `nowMs`: that is when the screen's turn began, which can be before the frame came.
    const atMs = performance.now();
    const { receiveTime, rtpTimestamp } = metadata;
    const receiveToPresentMs = receiveTime === undefined ? null : atMs - receiveTime;
    this.#frames.push({ atMs, rtpTimestamp, receiveToPresentMs });
    if (!this.#isFirst) return;
    this.#isFirst = false;
    this.#observer.firstFrame({ nowMs, metadata });
  }
}
