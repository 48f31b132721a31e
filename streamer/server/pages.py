"""The page and its assets, read once at start-up and answered from memory.

Nothing is looked up in the file system while requests are served: what was not there at the start is 404. The files
are built from `web/` and lie in the package folder `web_dist`.
"""

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

logger = logging.getLogger(__name__)

WEB_DIST = Path(__file__).parent.parent / "web_dist"

# Written out, because the tables of the operating system differ and `nosniff` forgives nothing.
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".map": "application/json; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_UNKNOWN_TYPE = "application/octet-stream"
# Vite writes a hash of the content into the names of assets: such a name never changes its content.
_HASHED_NAME = re.compile(r"assets/.+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"

_NOT_BUILT = (
    "The web client has not been built.\n\n"
    "In a checkout, ./scripts/setup builds it. A package that lacks it was built wrongly: reinstall it.\n"
)


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it is answered."""

    body: bytes
    content_type: str
    cache_control: str
    etag: str


class Pages:
    """All files of the web client by their path."""

    def __init__(self, folder: Path = WEB_DIST) -> None:
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self._answers = {name: _read(name, path) for name, path in files.items()}
        if "index.html" not in self._answers:
            logger.error("there is no web client in %s: build it with scripts/setup", folder)

    @property
    def is_built(self) -> bool:
        return "index.html" in self._answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for the page or one of its assets."""
        name = request.match_info.get("path", "") or "index.html"
        page = self._answers.get(name)
        if page is None and not self.is_built and name == "index.html":
            raise web.HTTPServiceUnavailable(text=_NOT_BUILT)
        if page is None:
            raise web.HTTPNotFound(text="There is nothing here.\n")
        headers = {hdrs.CACHE_CONTROL: page.cache_control, hdrs.ETAG: page.etag}
        if request.headers.get(hdrs.IF_NONE_MATCH) == page.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=page.body, headers={**headers, hdrs.CONTENT_TYPE: page.content_type})


def _read(name: str, path: Path) -> Page:
    body = path.read_bytes()
    return Page(
        body=body,
        content_type=_CONTENT_TYPES.get(path.suffix.lower(), _UNKNOWN_TYPE),
        cache_control=_FOR_EVER if _HASHED_NAME.search(name) else _ASK_EACH_TIME,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
