"""What protects the browser: which names and origins requests may carry, and the headers of every response.

Host names are checked because a page elsewhere can make its own name resolve to this machine (DNS rebinding); origins,
because any page may open a WebSocket to any address. Who the viewer is, is the business of `auth.py`.
"""

import re
from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from streamer.config import ServerConfig

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORTS = {"http": "80", "https": "443"}

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; connect-src 'self'{sockets}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=(), "
        "autoplay=(self), fullscreen=(self), gamepad=(self), clipboard-read=(self), clipboard-write=(self)"
    ),
    # Versions of libraries are nobody's business.
    hdrs.SERVER: "streamer",
}


class HostList:
    """The names and origins under which this server answers."""

    def __init__(self, config: ServerConfig) -> None:
        self._configured = frozenset(config.allowed_hosts)
        self._origins = frozenset(config.allowed_origins)
        self._names = _LOOPBACK_NAMES | {_in_brackets(config.host.lower())}
        self._accepts_addresses = not config.is_loopback

    def accepts_host(self, host: str | None) -> bool:
        """Return whether `host`, the Host header, is a name of ours.

        The port does not matter: it may be that of a tunnel or of a container's port mapping, and no page can make a
        browser send our name with its own port. Once other machines may connect, an address is as good as a name:
        only names can be rebound.
        """
        if not host:
            return False
        host = host.lower()
        name = _without_port(host)
        if host in self._configured or name in self._configured or name in self._names:
            return True
        return self._accepts_addresses and _is_address(name)

    def accepts_origin(self, origin: str | None, *, scheme: str, host: str | None) -> bool:
        """Return whether a page from `origin` may talk to us under `scheme` and `host`.

        An absent origin is refused too: browsers always send one with a WebSocket, and other programs can.
        """
        if not origin or not host:
            return False
        origin = origin.lower()
        own = f"{scheme}://{_without_default_port(host.lower(), scheme)}"
        return origin == own or origin in self._origins


def guard(hosts: HostList) -> Middleware:
    """Return a middleware that answers 421 to names that are not ours and 403 to changes wished by foreign pages."""

    @web.middleware
    async def refuse_foreigners(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get(hdrs.HOST)
        if not hosts.accepts_host(host):
            raise web.HTTPMisdirectedRequest(
                text=f"{(host or 'this name')!r} is no name of this server; add it to server.allowed_hosts\n"
            )
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            check_origin(request, hosts)
        return await handler(request)

    return refuse_foreigners


def check_origin(request: web.Request, hosts: HostList) -> None:
    """Refuse a request that a foreign page has caused.

    Raises:
        HTTPForbidden: its origin is missing or not ours.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if not hosts.accepts_origin(origin, scheme=request.scheme, host=request.headers.get(hdrs.HOST)):
        raise web.HTTPForbidden(text=f"the origin {origin!r} may not do this; see server.allowed_origins\n")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on a response that is about to be sent."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    # A request is guarded before its Host header is echoed; refused ones get a policy without it.
    host = request.headers.get(hdrs.HOST, "")
    is_plain = response.status < HTTPStatus.BAD_REQUEST and re.fullmatch(r"[a-zA-Z0-9.:\[\]_-]+", host)
    # Safari before 15.4 does not count WebSockets to the same place as 'self'.
    sockets = f" {_socket_scheme(request)}://{host}" if is_plain else ""
    response.headers[hdrs.CONTENT_SECURITY_POLICY] = _CONTENT_SECURITY_POLICY.format(sockets=sockets)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")


def _socket_scheme(request: web.Request) -> str:
    return "wss" if request.scheme == "https" else "ws"


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _without_port(host: str) -> str:
    match = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?", host)
    return match[1] if match else ""


def _without_default_port(host: str, scheme: str) -> str:
    return host.removesuffix(f":{_DEFAULT_PORTS.get(scheme, '')}")


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
