"""A wire of TCP between a page and its server, which a test can cut: the media, over UDP, do not notice."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

_CHUNK_BYTES = 65536


class Relay:
    """Takes connections on a port of its own and joins each of them to the server's."""

    def __init__(self, url: str) -> None:
        port = urlsplit(url).port
        assert port is not None
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = Lock()
        self._joined: list[socket.socket] = []
        self._threads = [Thread(target=self._accept, name="relay")]
        self._threads[0].start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def cut(self) -> None:
        """Break every connection there is; new ones go through."""
        with self._lock:
            for each in self._joined:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for each in self._joined:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            with self._lock:
                self._joined += [near, far]
            for ends in ((near, far), (far, near)):
                self._threads.append(Thread(target=_pump, args=ends, name="relay"))
                self._threads[-1].start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(_CHUNK_BYTES):
            target.sendall(part)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(url: str) -> Iterator[Relay]:
    running = Relay(url)
    try:
        yield running
    finally:
        running.close()
