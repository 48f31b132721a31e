"""Open an OpenGL context without a window, through EGL: on a GPU, or on the processor with Mesa's llvmpipe."""

import functools
from dataclasses import dataclass
from typing import Any

from streamer.errors import Unavailable

_NAME = "gl"
# OpenGL 3.3: instancing and integer texture fetches, which every driver of the last ten years has.
_VERSION_CODE = 330
_SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software rasterizer")


@dataclass(frozen=True, slots=True)
class Device:
    """What would draw: the driver's own name for it."""

    renderer: str

    @property
    def is_software(self) -> bool:
        """Whether the processor does the work of a GPU."""
        return any(name in self.renderer.lower() for name in _SOFTWARE_RENDERERS)


def open_context(device_index: int | None = None) -> Any:
    """Return a `moderngl.Context` that is current nowhere: `with context:` makes it so in the thread that draws.

    Raises:
        Unavailable: the package, the library or a driver is missing.
    """
    try:
        import moderngl
    except ImportError as exc:
        raise Unavailable(_NAME, f"the package {exc.name!r} is missing: pip install 'render-streamer[gl]'") from exc
    chosen: Any = {} if device_index is None else {"device_index": device_index}
    create: Any = moderngl.create_standalone_context
    try:
        context = create(require=_VERSION_CODE, backend="egl", **chosen)
    # The package raises bare exceptions for whatever its driver says.
    except Exception as exc:
        which = "" if device_index is None else f" on device {device_index}"
        raise Unavailable(
            _NAME, f"EGL gives no OpenGL 3.3 context{which} ({exc}); on Debian and Ubuntu: apt install libegl1 libgl1"
        ) from exc
    # It is current in this thread, and shall be in another.
    with context:
        pass
    return context


@functools.cache
def device(device_index: int | None = None) -> Device:
    """Return what draws here. Asked once, since opening a driver takes up to half a second.

    Raises:
        Unavailable: nothing does.
    """
    context = open_context(device_index)
    with context:
        renderer = str(context.info["GL_RENDERER"])
    context.release()
    return Device(renderer)
