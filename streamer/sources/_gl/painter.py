"""Paint the demo scene on a GPU: what its parts draw is collected, and one call of the driver draws all of a kind."""

from typing import Any

import numpy as np

from streamer.media.frame import Resolution
from streamer.sources._gl.atlas import Atlas
from streamer.sources._scene.painter import Colours, Places, Tone
from streamer.sources._scene.pixels import Coverage, Image

# Wide enough for the largest stencil of an 8K picture. Half as high holds all of them at 1080p.
_ATLAS_WIDTH_PX = 4096
_ATLAS_HEIGHT_PX = 2048
# A frame has about 200 of them.
_FIRST_INSTANCES = 1024

# A corner of a rectangle from the number of the vertex; pixels count from the upper left, OpenGL from the lower left.
_PLACE = """
#version 330
uniform vec2 picture;
vec4 corner(vec4 box, out vec2 inside) {
    inside = vec2(gl_VertexID & 1, gl_VertexID >> 1) * box.zw;
    vec2 share = (box.xy + inside) / picture;
    return vec4(2 * share.x - 1, 1 - 2 * share.y, 0, 1);
}
"""
_POINT_VERTEX = f"""{_PLACE}
in vec4 box;
in vec3 colour;
flat out vec3 ink;
void main() {{
    vec2 inside;
    gl_Position = corner(box, inside);
    ink = colour;
}}
"""
_POINT_FRAGMENT = """
#version 330
flat in vec3 ink;
out vec4 pixel;
void main() { pixel = vec4(ink, 1); }
"""
_LIGHT_VERTEX = f"""{_PLACE}
in vec4 box;
in vec2 origin;
in vec3 colour;
in vec2 tone;
out vec2 stencil;
flat out vec3 ink;
flat out vec2 shine;
void main() {{
    vec2 inside;
    gl_Position = corner(box, inside);
    stencil = origin + inside;
    ink = colour;
    shine = tone;
}}
"""
# The same colours as those of `pixels.ramp`.
_LIGHT_FRAGMENT = """
#version 330
uniform sampler2D atlas;
in vec2 stencil;
flat in vec3 ink;
flat in vec2 shine;
out vec4 pixel;
void main() {
    float share = texelFetch(atlas, ivec2(stencil), 0).r * shine.x;
    pixel = vec4(share * ink * (1 - shine.y * share) + shine.y * share * share, 0);
}
"""


class _Batch:
    """Rectangles that one call draws, `fields` numbers each."""

    def __init__(self, context: Any, shaders: tuple[str, str], layout: str, names: tuple[str, ...]) -> None:
        self._context = context
        self._layout, self._names = layout, names
        self.program = context.program(vertex_shader=shaders[0], fragment_shader=shaders[1])
        self._reserve(_FIRST_INSTANCES)
        self.rows: list[tuple[float, ...]] = []

    def draw(self) -> None:
        """Draw what was collected and forget it."""
        if not self.rows:
            return
        content = np.array(self.rows, np.float32)
        if len(self.rows) > self._instances:
            self.release()
            self._reserve(2 * len(self.rows))
        self._buffer.write(content)
        self._array.render(self._context.TRIANGLE_STRIP, vertices=4, instances=len(self.rows))
        self.rows.clear()

    def release(self) -> None:
        """Give up the memory of the rectangles."""
        self._array.release()
        self._buffer.release()

    def _reserve(self, instances: int) -> None:
        self._instances = instances
        numbers = sum(int(part.rstrip("f")) for part in self._layout.removesuffix("/i").split())
        self._buffer = self._context.buffer(reserve=4 * numbers * instances, dynamic=True)
        self._array = self._context.vertex_array(self.program, [(self._buffer, self._layout, *self._names)])


class GlPainter:
    """See `_scene.painter.Painter`. Used by the thread that draws, while the context is current."""

    def __init__(self, context: Any, resolution: Resolution, backdrop: Image) -> None:
        self._context = context
        size = resolution.width_px, resolution.height_px
        self._backdrop = context.framebuffer(
            [context.texture(size, 4, np.flipud(backdrop[..., [2, 1, 0, 3]]).tobytes())]
        )
        self._atlas = Atlas(context, _ATLAS_WIDTH_PX, _ATLAS_HEIGHT_PX)
        self._points = _Batch(context, (_POINT_VERTEX, _POINT_FRAGMENT), "4f 3f/i", ("box", "colour"))
        layout, names = "4f 2f 3f 2f/i", ("box", "origin", "colour", "tone")
        self._lights = _Batch(context, (_LIGHT_VERTEX, _LIGHT_FRAGMENT), layout, names)
        for batch in (self._points, self._lights):
            batch.program["picture"] = size

    def points(self, x: Places, y: Places, side_px: int, colours: Colours) -> None:
        blue, green, red = (((colours >> shift) & 0xFF) / 255 for shift in (0, 8, 16))
        side = np.full(len(x), side_px)
        self._points.rows += map(tuple, np.column_stack([x, y, side, side, red, green, blue]).tolist())

    def light(self, left: int, top: int, stencil: Coverage, tone: Tone) -> None:
        height_px, width_px = stencil.shape
        red, green, blue = tone.colour
        place = self._atlas.place(stencil)
        box = left, top, width_px, height_px
        self._lights.rows.append((*box, *place, red / 255, green / 255, blue / 255, tone.strength, tone.whiteness))

    def finish(self, framebuffer: Any) -> None:
        """Draw what was collected over the backdrop."""
        context = self._context
        context.copy_framebuffer(framebuffer, self._backdrop)
        framebuffer.use()
        context.disable(context.BLEND)
        self._points.draw()
        context.enable(context.BLEND)
        # Light is added and saturates at white.
        context.blend_func = context.ONE, context.ONE
        self._atlas.texture.use()
        self._lights.draw()
        context.disable(context.BLEND)
