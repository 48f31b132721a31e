"""Count what a sender sends, in a process of its own.

Run as `python -m streamer.bench.receiver`: it reads an offer as one line of JSON and prints the answer as another. When
the next line comes, it prints how many packets arrived and how many were lost. It reports to the sender as browsers do.
"""

import asyncio
import json
import sys

from streamer.bench.receiving_peer import ReceivingPeer
from streamer.clock import SystemClock


async def run() -> None:
    """Serve one sender."""
    peer = ReceivingPeer(SystemClock(), lambda _packet, _now_us: None)
    loop = asyncio.get_running_loop()
    offer = json.loads(await loop.run_in_executor(None, sys.stdin.readline))["offer"]
    print(json.dumps({"answer": await peer.answer(offer)}), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    print(json.dumps({"expected": peer.stream.expected, "lost": peer.stream.lost}), flush=True)
    await peer.close()


if __name__ == "__main__":
    asyncio.run(run())
