import { defineConfig } from "vitest/config";

// The page is served under a policy that allows files of its own origin and nothing inline.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../streamer/web_dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev` beside a running `streamer serve`.
    proxy: { "/signaling": { target: "ws://127.0.0.1:8080", ws: true } },
  },
  test: {
    environment: "node",
    include: ["tests/**/*.test.ts"],
  },
});
