// Runs in the measured page, injected by the bench: reads the stamps of decoded and of presented frames, and the
// instants of button messages. Everything is kept as raw rows; the bench computes.
(() => {
  const COLUMNS = 80;
  const BITS = 72;
  const DARK_BELOW = 124;

  const player = () => document.querySelector("render-stream").player;
  const absolute = (pageMs) => performance.timeOrigin + pageMs;

  // The same function runs in the worker: it must not use anything from outside.
  const readStamp = async (frame, buffer, columns, bits, darkBelow) => {
    const width = frame.codedWidth;
    const block = Math.floor(width / columns);
    const y = Math.floor(block / 4) * 2;
    const isPlanar = frame.format === "I420" || frame.format === "NV12" || frame.format === "I420A";
    await frame.copyTo(buffer, { rect: { x: 0, y, width, height: 2 } });
    const step = isPlanar ? 1 : 4;
    const offset = isPlanar ? 0 : 1;
    const bytes = new Uint8Array(9);
    for (let bit = 0; bit < bits; bit += 1) {
      const luma = buffer[(bit * block + (block >> 1)) * step + offset];
      if (luma >= darkBelow) bytes[bit >> 3] |= 0x80 >> (bit & 7);
    }
    let crc = 0;
    for (const byte of bytes.subarray(0, 8)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
    }
    if (bytes[0] !== 0xb2 || crc !== bytes[8]) return null;
    const view = new DataView(bytes.buffer);
    return [view.getUint16(5), view.getUint32(1), view.getUint8(7)];
  };

  const workerSource = `
    const readStamp = ${readStamp.toString()};
    const rows = [];
    let unreadable = 0;
    onmessage = async ({ data }) => {
      if (data.readable === undefined) {
        postMessage({ rows: rows.splice(0), unreadable });
        unreadable = 0;
        return;
      }
      const reader = data.readable.getReader();
      const buffer = new Uint8Array(4 * 8192 * 2);
      for (;;) {
        const { value: frame, done } = await reader.read();
        if (done) return;
        const atMs = performance.timeOrigin + performance.now();
        const rtpTimestamp = frame.metadata?.().rtpTimestamp ?? null;
        const stamp = await readStamp(frame, buffer, ${COLUMNS}, ${BITS}, ${DARK_BELOW});
        frame.close();
        if (stamp === null) unreadable += 1;
        else rows.push([...stamp, atMs, null, null, rtpTimestamp]);
      }
    };`;

  const bench = {
    presented: [],
    presentedUnreadable: 0,
    buttons: [],
    stages: [],
    anchors: [],
    worker: null,
    waiting: null,

    async start(readsDecoded) {
      const buffer = new Uint8Array(4 * 8192 * 2);
      const video = player().video;
      const onFrame = async (_now, metadata) => {
        const atMs = absolute(performance.now());
        video.requestVideoFrameCallback(onFrame);
        bench.noteAnchor();
        const frame = new VideoFrame(video);
        const rtpTimestamp = frame.metadata?.().rtpTimestamp ?? null;
        const stamp = await readStamp(frame, buffer, COLUMNS, BITS, DARK_BELOW);
        frame.close();
        if (stamp === null) {
          bench.presentedUnreadable += 1;
          return;
        }
        // What the callback tells can be of the frame before the one whose pixels are there.
        const isSame = rtpTimestamp === null || metadata.rtpTimestamp === rtpTimestamp;
        const receivedMs = isSame && metadata.receiveTime !== undefined ? absolute(metadata.receiveTime) : null;
        const decodeMs = isSame && metadata.processingDuration !== undefined ? metadata.processingDuration * 1000 : null;
        bench.presented.push([...stamp, atMs, receivedMs, decodeMs, rtpTimestamp]);
      };
      video.requestVideoFrameCallback(onFrame);
      player().on("input", (sent) => {
        if (sent.isDown) bench.buttons.push([sent.sequence & 0xff, absolute(sent.timeStamp)]);
      });
      player().on("statistics", (sample) => bench.stages.push(sample.server ?? null));
      if (readsDecoded) this.readDecoded();
    },

    // Read the track that is shown. Another connection has another one: call it again then.
    readDecoded() {
      const processor = new MediaStreamTrackProcessor({ track: player().video.srcObject.getVideoTracks()[0] });
      if (this.worker === null) {
        const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
        this.worker = new Worker(url);
        this.worker.onmessage = ({ data }) => this.waiting?.(data);
      }
      this.worker.postMessage({ readable: processor.readable }, [processor.readable]);
    },

    async decoded() {
      if (this.worker === null) return { rows: [], unreadable: 0 };
      return new Promise((resolve) => {
        this.waiting = resolve;
        this.worker.postMessage({});
      });
    },

    // Forget everything so far: the measurement begins here.
    async restart() {
      await this.decoded();
      this.presented.length = 0;
      this.presentedUnreadable = 0;
      this.buttons.length = 0;
      this.stages.length = 0;
      this.anchors.length = 0;
    },

    async collect() {
      return {
        decoded: await this.decoded(),
        presented: this.presented.splice(0),
        presentedUnreadable: this.presentedUnreadable,
        buttons: this.buttons.splice(0),
        stages: this.stages.splice(0),
        inbound: await this.inbound(),
        clock: this.clock(),
        anchors: this.anchors.splice(0),
      };
    },

    // When the server captured the newest packet's frame, on the server's wall clock in NTP milliseconds, and that
    // frame's RTP time: together they date every frame of the stream. The browser tells whole milliseconds, so many
    // are collected.
    noteAnchor() {
      for (const receiver of player().peerConnection?.getReceivers() ?? []) {
        for (const source of receiver.getSynchronizationSources()) {
          if (source.captureTimestamp !== undefined) bench.anchors.push([source.rtpTimestamp, source.captureTimestamp]);
        }
      }
    },

    // Server time minus page time in milliseconds, both absolute.
    clock() {
      const atMs = performance.now();
      const serverUs = player().toServerUs(atMs);
      return serverUs === null ? null : serverUs / 1000 - absolute(atMs);
    },

    async inbound() {
      // There is no connection while the next one is waited for.
      const reports = await player().peerConnection?.getStats();
      for (const report of reports?.values() ?? []) {
        if (report.type === "inbound-rtp" && report.kind === "video") return { ...report };
      }
      return null;
    },
  };
  window.streamerBench = bench;
})();
