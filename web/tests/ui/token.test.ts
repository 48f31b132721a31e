import { describe, expect, test } from "vitest";
import { takeNewToken, takeToken } from "../../src/ui/token";

function page(hash: string, stored: Record<string, string> = {}) {
  const addresses: string[] = [];
  return {
    addresses,
    stored,
    location: { hash, pathname: "/page", search: "?a=1" },
    history: { state: null, replaceState: (_state: unknown, _unused: string, url: string) => addresses.push(url) },
    sessionStorage: {
      getItem: (key: string) => stored[key] ?? null,
      setItem: (key: string, value: string) => {
        stored[key] = value;
      },
    },
  };
}

describe("takeToken", () => {
  test("takes the token out of the address", () => {
    const place = page("#token=s%26cret");

    expect(takeToken(place)).toBe("s&cret");
    expect(place.addresses).toEqual(["/page?a=1"]);
  });

  test("leaves the rest of the fragment", () => {
    const place = page("#token=x&view=2");
    takeToken(place);

    expect(place.addresses).toEqual(["/page?a=1#view=2"]);
  });

  test("finds the token again after a reload", () => {
    const before = page("#token=x");
    takeToken(before);

    expect(takeToken(page("", before.stored))).toBe("x");
  });

  test("tells a token that has just come from one that was kept", () => {
    const { stored } = page("", { "render-stream-token": "old" });

    expect(takeNewToken(page("", stored))).toBeNull();
    expect(takeNewToken(page("#token=new", stored))).toBe("new");
    expect(takeToken(page("", stored))).toBe("new");
  });

  test("touches neither address nor storage where there is no token", () => {
    const place = page("#view=2");

    expect(takeToken(place)).toBeNull();
    expect([place.addresses, place.stored]).toEqual([[], {}]);
  });

  test("does without storage where the browser forbids it", () => {
    const place = Object.defineProperty(page("#token=x"), "sessionStorage", {
      get: () => {
        throw new Error("forbidden");
      },
    });

    expect(takeToken(place)).toBe("x");
  });
});
