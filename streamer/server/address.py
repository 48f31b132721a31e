"""The address that the server listens at: its sockets, its TLS context, and what to call it.

Every failure here is a mistake in the configuration and says what to change.
"""

import errno
import socket
import ssl

from streamer.config import ServerConfig
from streamer.errors import ConfigError

MAX_BACKLOG = 128
# Addresses reserved for documentation (RFC 5737, RFC 3849): connecting a datagram socket sends nothing, but makes the
# kernel choose the address that this machine would send from.
_ANY_PEER = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}  # noqa: S104 - looked up, not bound


def shown_host(host: str) -> str:
    """Return how `host` is written in an address that people can open."""
    if host in _ANY_PEER:
        family, peer = _ANY_PEER[host]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((peer, 9))
                host = probe.getsockname()[0]
            except OSError:
                host = "127.0.0.1" if family == socket.AF_INET else "::1"
    return f"[{host}]" if ":" in host else host


def bind(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets, one for each address of `host`, all at the same port.

    Raises:
        ConfigError: the name is unknown, or the port cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as exc:
        raise ConfigError(f"server.host = {host!r} cannot be resolved: {exc.strerror}") from exc
    sockets: list[socket.socket] = []
    refusal: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        # Port 0 is chosen once: all addresses of a name answer at the same port.
        chosen = sockets[0].getsockname()[1] if sockets and port == 0 else port
        try:
            sockets.append(_bind_one(family, kind, protocol, (address[0], chosen, *address[2:])))
        except OSError as exc:
            refusal = exc
            if exc.errno != errno.EADDRNOTAVAIL:
                break
    if refusal is not None and (not sockets or refusal.errno != errno.EADDRNOTAVAIL):
        for bound in sockets:
            bound.close()
        raise ConfigError(_why_not_bound(host, port, refusal)) from refusal
    return sockets


def read_tls(config: ServerConfig) -> ssl.SSLContext | None:
    """Return the TLS context that the configuration asks for, or None.

    Raises:
        ConfigError: a file is missing or cannot be used.
    """
    if config.tls_certificate is None or config.tls_key is None:
        return None
    for name, path in (("tls_certificate", config.tls_certificate), ("tls_key", config.tls_key)):
        if not path.is_file():
            raise ConfigError(f"server.{name} = {str(path)!r}: there is no such file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password: a key that needs one is refused here, instead of asking on a terminal that nobody watches.
        context.load_cert_chain(config.tls_certificate, config.tls_key, password="")
    except OSError as exc:
        raise ConfigError(
            f"server.tls_certificate = {str(config.tls_certificate)!r} and server.tls_key = {str(config.tls_key)!r} "
            f"cannot be used: {getattr(exc, 'reason', None) or exc.strerror or exc}"
        ) from exc
    return context


def _bind_one(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        # Only listening claims a port for good: two sockets with SO_REUSEADDR can both bind to it.
        bound.listen(MAX_BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _why_not_bound(host: str, port: int, exc: OSError) -> str:
    match exc.errno:
        case errno.EADDRINUSE:
            return f"server.port = {port}: it is taken on {host}; choose another one with --port, or 0 for any free one"
        case errno.EACCES:
            return f"server.port = {port}: ports below 1024 need privileges; choose another one with --port"
        case errno.EADDRNOTAVAIL:
            return f"server.host = {host!r}: this machine has no such address; see --host"
        case _:
            return f"server.host = {host!r}, server.port = {port}: {exc.strerror}"
