import { describe, expect, test } from "vitest";
import { type Happening, type State, TABLE, transition } from "../../src/transport/states";

const STATES = Object.keys(TABLE) as State[];

function follow(...happenings: Happening[]): State {
  return happenings.reduce<State>((state, happening) => transition(state, happening)?.[0] ?? state, "closed");
}

describe("the table of connection states", () => {
  test.each<[string, Happening[], State]>([
    ["a viewer who gets in is connected", ["open", "welcomed", "offered", "peer_connected"], "connected"],
    ["a lost connection waits", ["open", "welcomed", "offered", "peer_connected", "lost"], "waiting"],
    ["a retry opens again", ["open", "lost", "retry_due"], "opening"],
    ["a refusal stops", ["open", "refused"], "stopped"],
    ["nothing but the viewer starts again after a refusal", ["open", "refused", "retry_due", "lost"], "stopped"],
    ["the viewer does", ["open", "refused", "open"], "opening"],
    ["a second open does not dial twice", ["open", "open"], "opening"],
    ["an offer may come while connected", ["open", "welcomed", "offered", "peer_connected", "offered"], "connected"],
    ["an offer before the welcome leads nowhere", ["open", "offered"], "opening"],
  ])("%s", (_claim, happenings, state) => {
    expect(follow(...happenings)).toBe(state);
  });

  test.each(STATES.filter((state) => state !== "closed"))("close leads from %s to closed", (state) => {
    expect(transition(state, "close")?.[0]).toBe("closed");
  });

  test("every state can be reached and left", () => {
    const targets = new Set(STATES.flatMap((state) => Object.values(TABLE[state]).map(([next]) => next)));

    expect([...targets].sort()).toEqual([...STATES].sort());
    expect(STATES.every((state) => Object.values(TABLE[state]).some(([next]) => next !== state))).toBe(true);
  });

  test.each(["opening", "joining", "connected"] as const)(
    "whatever gives up a connection from %s closes it",
    (state) => {
      const actions = { waiting: "retreat", stopped: "drop", closed: "leave" } as const;
      const givenUp = Object.values(TABLE[state]).filter(([next]) => next in actions);

      expect(givenUp).toHaveLength(3);
      for (const [next, action] of givenUp) expect(action).toBe(actions[next as keyof typeof actions]);
    },
  );
});
