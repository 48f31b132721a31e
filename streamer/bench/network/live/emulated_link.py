"""Two network namespaces joined by an emulated link, and the process that carries its packets."""

import os
import pickle
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from streamer.bench.network.live.lane import Course
from streamer.bench.network.live.namespace import Namespace
from streamer.bench.network.live.packet_log import PacketLog, read_log
from streamer.bench.network.live.tunnel import open_tunnel
from streamer.errors import ConfigError, SessionError

# Of a private network (RFC 1918); whatever else has these addresses is in other namespaces.
SERVER_ADDRESS, VIEWER_ADDRESS = "10.77.0.1", "10.77.0.2"
# Writing the log of some minutes takes about a second.
_STOP_TIMEOUT_S = 30


class EmulatedLink:
    """A link that behaves as `course` says, until the block ends. Nothing is left then but `log_file`, where named."""

    def __init__(self, course: Course, log_file: Path | None = None) -> None:
        self._course = course
        self._kept_file = log_file
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="streamer-bench-"))
            self.log_file = self._kept_file or Path(folder) / "packets.csv"
            try:
                self.server_side = stack.enter_context(Namespace())
                self.viewer_side = stack.enter_context(Namespace())
                tunnels = [
                    _open_tunnel(stack, self.server_side, SERVER_ADDRESS, VIEWER_ADDRESS),
                    _open_tunnel(stack, self.viewer_side, VIEWER_ADDRESS, SERVER_ADDRESS),
                ]
            except OSError as exc:
                raise ConfigError(
                    f"--live needs network namespaces and TUN devices, and they are not allowed here ({exc}); "
                    "it takes Linux and root"
                ) from exc
            stack.callback(self._stop)
            self._process = self._start(tunnels)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def finish(self) -> PacketLog:
        """Stop carrying and return what was carried.

        Raises:
            SessionError: the process had failed, or no media went through the link.
        """
        self._stop()
        if not self.log_file.exists():
            raise SessionError("the process that carries the link's packets failed")
        with self.log_file.open(encoding="ascii", newline="") as file:
            log = read_log(file)
        if log is None:
            raise SessionError("no media went through the link")
        return log

    def _start(self, tunnels: list[int]) -> subprocess.Popen[bytes]:
        module = "streamer.bench.network.live.carrier"
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", module, *map(str, tunnels), str(self.log_file)],
            stdin=subprocess.PIPE,
            pass_fds=tunnels,
        )
        assert process.stdin is not None
        process.stdin.write(pickle.dumps(self._course))
        process.stdin.flush()
        return process

    def _stop(self) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _open_tunnel(stack: ExitStack, side: Namespace, address: str, peer: str) -> int:
    with side.inside():
        descriptor = open_tunnel(address, peer)
    stack.callback(os.close, descriptor)
    return descriptor
