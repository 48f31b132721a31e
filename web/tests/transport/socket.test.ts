import { expect, test } from "vitest";
import { signalingUrl } from "../../src/transport/socket";

test.each([
  ["/signaling", "http://host:8080/", "ws://host:8080/signaling"],
  ["/signaling", "https://host/page/?a=1#b", "wss://host/signaling"],
  ["signaling", "https://host/tools/page", "wss://host/tools/signaling"],
  ["wss://other/signaling", "https://host/", "wss://other/signaling"],
  ["/signaling#token=x", "https://host/", "wss://host/signaling"],
])("signaling at %s seen from %s is %s", (address, base, url) => {
  expect(signalingUrl(address, base).href).toBe(url);
});
