/** What the page says about the connection and the input, in words for people. Pure. */

import type { TextRefusal } from "../player";
import { MAX_ENTRY_BYTES } from "../protocol/input";
import type { ConnectionView } from "../transport/connector";

export interface Notice {
  title: string;
  detail: string;
  /** What a button offers, or null where there is nothing to do. */
  offer: string | null;
  /** Whether something is under way. */
  isBusy: boolean;
}

export interface Moment {
  view: ConnectionView;
  /** The browser wants a gesture before it plays. */
  isBlocked: boolean;
  /** A frame of the present connection has been presented. */
  hasPicture: boolean;
  nowMs: number;
}

/** Return what to say at this moment, or null while the picture speaks for itself. */
export function noticeOf({ view, isBlocked, hasPicture, nowMs }: Moment): Notice | null {
  switch (view.state) {
    case "connected":
      if (isBlocked) return { title: "Ready", detail: "", offer: "Start", isBusy: false };
      return hasPicture ? null : busy("Waiting for the first picture");
    case "opening":
    case "joining":
      return busy(view.hasConnected ? "Reconnecting" : "Connecting", view.reason);
    case "waiting":
      return { ...busy(waiting(view, nowMs), view.reason), offer: "Try now" };
    case "stopped":
      return {
        title: view.hasConnected ? "The stream has ended" : "No stream",
        detail: sentence(view.reason),
        offer: "Connect again",
        isBusy: false,
      };
    case "closed":
      return { title: "Disconnected", detail: "", offer: "Connect", isBusy: false };
  }
}

/** Return what to say of a text that was not entered. */
export function hintOf(refusal: TextRefusal): string {
  if (refusal === "too_soon") return "Earlier text is still being typed. The last one was not entered: try again soon.";
  return `The text is too long to be entered: at most ${MAX_ENTRY_BYTES / 1024} KiB at once. Nothing was sent.`;
}

function waiting(view: ConnectionView, nowMs: number): string {
  const seconds = Math.ceil(((view.retryAtMs ?? nowMs) - nowMs) / 1000);
  const what = view.hasConnected ? "Reconnecting" : "Connecting";
  return seconds > 0 ? `${what} in ${seconds} s` : what;
}

function busy(title: string, reason: string | null = null): Notice {
  return { title, detail: sentence(reason), offer: null, isBusy: true };
}

/** Return a reason with a capital and a full stop. */
function sentence(reason: string | null): string {
  if (reason === null || reason === "") return "";
  const capital = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
