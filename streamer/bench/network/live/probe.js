// Runs in the measured page next to the reader, from before its first picture: presses of keys and buttons, the target
// that the server tells of, and the browser's counts now and then. Everything is kept as raw rows; the bench computes.
(() => {
  const PERIOD_MS = 250;

  const player = () => document.querySelector("render-stream")?.player;
  const absolute = (pageMs) => performance.timeOrigin + pageMs;

  const live = {
    presses: [],
    targets: [],
    sizes: [],
    reconnections: 0,

    hasTrack: () => (player()?.video.srcObject?.getVideoTracks().length ?? 0) > 0,

    start() {
      const press = (event) => {
        if (!event.repeat) live.presses.push(absolute(event.timeStamp));
      };
      window.addEventListener("keydown", press, { capture: true });
      window.addEventListener("pointerdown", press, { capture: true });
      player().on("statistics", ({ server }) => {
        if (server !== null) live.targets.push([absolute(performance.now()), server.target_bps]);
      });
      player().on("disconnecting", () => {
        live.reconnections += 1;
      });
      player().on("firstframe", () => {
        if (live.reconnections > 0) streamerBench.readDecoded();
      });
      player().video.addEventListener("resize", () => live.noteSize());
      setInterval(() => live.noteSize(), PERIOD_MS);
      return streamerBench.start(true);
    },

    noteSize() {
      const { videoWidth, videoHeight } = player().video;
      if (videoWidth > 0) live.sizes.push([absolute(performance.now()), videoWidth, videoHeight]);
    },

    async collect() {
      const { decoded, presented, inbound } = await streamerBench.collect();
      const { presses, targets, sizes, reconnections } = live;
      return { decoded: decoded.rows, presented, inbound, presses, targets, sizes, reconnections };
    },
  };
  window.streamerLive = live;
})();
