/**
 * The states of the connection to the server, and what leads from one to the other, as one table.
 *
 * Rules of this file: every state and every transition stands in `TABLE`; an event that has no entry in a state means
 * nothing there. `connector.ts` carries the actions out and assigns the state nowhere but from here.
 */

export type State =
  /** Nothing is open: not begun, or the viewer left. */
  | "closed"
  /** A socket is being opened and says hello. */
  | "opening"
  /** The server welcomed us; offer, answer and the first packets are on their way. */
  | "joining"
  /** Media can flow. */
  | "connected"
  /** The connection was lost; a timer runs until the next attempt. */
  | "waiting"
  /** The server said that coming back cannot help. Only the viewer can start again. */
  | "stopped";

export type Happening = "open" | "welcomed" | "offered" | "peer_connected" | "lost" | "refused" | "retry_due" | "close";

export type Action =
  | "dial"
  | "configure"
  | "answer"
  | "settle"
  /** Close socket and peer, and arrange the next attempt. */
  | "retreat"
  /** Close socket and peer. */
  | "drop"
  /** The same, with a word to the server before it. */
  | "leave";

export type Transition = readonly [next: State, action: Action];

export const TABLE: Readonly<Record<State, Readonly<Partial<Record<Happening, Transition>>>>> = {
  closed: {
    open: ["opening", "dial"],
  },
  opening: {
    welcomed: ["joining", "configure"],
    lost: ["waiting", "retreat"],
    refused: ["stopped", "drop"],
    close: ["closed", "leave"],
  },
  joining: {
    offered: ["joining", "answer"],
    peer_connected: ["connected", "settle"],
    lost: ["waiting", "retreat"],
    refused: ["stopped", "drop"],
    close: ["closed", "leave"],
  },
  connected: {
    // The server renegotiates, or moves the viewer to a new peer.
    offered: ["connected", "answer"],
    // A new peer, or the same one after a short silence.
    peer_connected: ["connected", "settle"],
    lost: ["waiting", "retreat"],
    refused: ["stopped", "drop"],
    close: ["closed", "leave"],
  },
  waiting: {
    open: ["opening", "dial"],
    retry_due: ["opening", "dial"],
    close: ["closed", "drop"],
  },
  stopped: {
    open: ["opening", "dial"],
    close: ["closed", "drop"],
  },
};

/** Return where `happening` leads from `state`, or null where it means nothing. */
export function transition(state: State, happening: Happening): Transition | null {
  return TABLE[state][happening] ?? null;
}
