import { describe, expect, test } from "vitest";
import type { ConnectionView } from "../../src/transport/connector";
import { hintOf, type Moment, noticeOf } from "../../src/ui/wording";

function moment(view: Partial<ConnectionView>, rest: Partial<Moment> = {}): Moment {
  const whole = { state: "connected", hasConnected: true, reason: null, retryAtMs: null, ...view } as const;
  return { view: whole, isBlocked: false, hasPicture: true, nowMs: 1000, ...rest };
}

describe("noticeOf", () => {
  test("is silent while the picture plays", () => {
    expect(noticeOf(moment({}))).toBeNull();
  });

  test("counts down to the next attempt and says why", () => {
    const view = { state: "waiting", reason: "the server cannot be reached", retryAtMs: 3400 } as const;

    expect(noticeOf(moment(view))).toMatchObject({
      title: "Reconnecting in 3 s",
      detail: "The server cannot be reached.",
      offer: "Try now",
    });
  });

  test("shows the server's own words when it is over", () => {
    const view = { state: "stopped", reason: "The session is full." } as const;

    expect(noticeOf(moment(view))).toMatchObject({ detail: "The session is full.", offer: "Connect again" });
  });

  test("asks for a click only where the browser does", () => {
    expect(noticeOf(moment({}, { isBlocked: true }))).toMatchObject({ offer: "Start", isBusy: false });
  });

  test("distinguishes the first connection from a later one", () => {
    expect(noticeOf(moment({ state: "opening", hasConnected: false }))?.title).toBe("Connecting");
    expect(noticeOf(moment({ state: "opening" }))?.title).toBe("Reconnecting");
  });
});

describe("hintOf", () => {
  test("names the limit", () => {
    expect(hintOf("too_long")).toMatch(/at most 32 KiB/);
  });

  test("says when to try again", () => {
    expect(hintOf("too_soon")).toMatch(/not entered: try again/);
  });
});
