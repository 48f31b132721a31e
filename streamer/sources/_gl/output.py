"""Bring a picture out of OpenGL: rows from the top, bytes in the order of a surface, the frame stamp on top of it."""

from typing import Any

from streamer.media.frame import Resolution

# One triangle that covers everything. OpenGL draws from the lower left upwards, surfaces begin with their upper row.
_VERTEX = """
#version 330
out vec2 place;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2;
    place = vec2(corner.x, 1 - corner.y);
    gl_Position = vec4(2 * corner - 1, 0, 1);
}
"""
_FRAGMENT = """
#version 330
uniform sampler2D picture;
in vec2 place;
out vec4 pixel;
void main() { pixel = vec4(texture(picture, place).bgr, 1); }
"""


class Output:
    """What is drawn into, and the way out. Used by the thread that draws, while the context is current."""

    def __init__(self, context: Any, resolution: Resolution) -> None:
        self._context = context
        size = resolution.width_px, resolution.height_px
        self._texture = context.texture(size, 4)
        # At the same scale: every pixel is one, none is mixed.
        self._texture.filter = context.NEAREST, context.NEAREST
        self.framebuffer = context.framebuffer([self._texture], context.depth_renderbuffer(size))
        self._packed = context.framebuffer([context.renderbuffer(size, 4)])
        program = context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        # The unit that moderngl itself uses for each texture that is made: no program finds there what it left.
        self._unit = program["picture"] = context.default_texture_unit
        self._triangle = context.vertex_array(program, [])
        self._scope = context.scope(self._packed, context.NOTHING)

    def read_into(self, target: Any) -> None:
        """Copy what was drawn into rows of BGRA: an array, when it is there, or in turn a buffer of OpenGL's.

        Programs set what they draw with once, as often as not, so all of that is put back.
        """
        context = self._context
        self.framebuffer.use()
        is_wireframe, context.wireframe = context.wireframe, False
        with self._scope:
            self._texture.use(self._unit)
            self._triangle.render(context.TRIANGLES, vertices=3)
        context.wireframe = is_wireframe
        self._packed.read_into(target, components=4, alignment=1)
