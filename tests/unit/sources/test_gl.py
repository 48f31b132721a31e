"""OpenGL without a window. Skipped where there is no driver at all; Mesa's llvmpipe is one."""

import sys
from types import ModuleType

import numpy as np
import pytest

from streamer.errors import ConfigError, SourceError, Unavailable
from streamer.media.frame import MemoryKind, PixelFormat, Resolution
from streamer.protocol.actions import ButtonChange, KeyChange, PointerMove, TextEntry
from streamer.sources import demo, gl
from streamer.sources._gl import context
from streamer.sources._gl.atlas import Atlas
from streamer.sources._gl.context import Device, open_context
from streamer.sources._scene.painter import ImagePainter
from streamer.sources._scene.scene import Scene
from streamer.sources.base import SourceSettings
from tests.fakes.clock import ManualClock
from tests.fakes.documents import example_of

SIZE = Resolution(640, 360)
LONG_US = 30_000_000
# A GPU rounds each light that is added, and we do.
ROUNDING = 3

pytestmark = pytest.mark.skipif(gl.why_unavailable() is not None, reason=f"gl: {gl.why_unavailable()}")


class Quarters:
    """A renderer that shows which corner is which, and the colours of its actions."""

    def __init__(self, _context, resolution, _fps):
        self.resolution = resolution
        self.actions = []

    def apply(self, action):
        self.actions.append(action)

    def draw(self, framebuffer, *_):
        width_px, height_px = self.resolution.width_px, self.resolution.height_px
        framebuffer.clear(0, 0, len(self.actions) / 255)
        # OpenGL counts from the lower left: this is the upper left quarter.
        framebuffer.clear(1, 0, 0, viewport=(0, height_px // 2, width_px // 2, height_px // 2))
        framebuffer.clear(0, 1, 0, viewport=(width_px // 2, 0, width_px // 2, height_px // 2))


class Mute:
    """A renderer without input."""

    def __init__(self, *_):
        pass

    def draw(self, framebuffer, *_):
        framebuffer.clear(0, 0, 0)


class Settled:
    """A renderer that sets once, in the beginning, what it draws with: a red square in front of a green one."""

    def __init__(self, context, _resolution, _fps):
        self.program = context.program(
            vertex_shader="""
                #version 330
                uniform float depth;
                void main() { gl_Position = vec4(4 * vec2(gl_VertexID & 1, gl_VertexID >> 1) - 1, depth, 1); }
            """,
            fragment_shader="""
                #version 330
                uniform sampler2D colours;
                uniform int place;
                out vec4 pixel;
                void main() { pixel = texelFetch(colours, ivec2(place, 0), 0); }
            """,
        )
        self.triangle = context.vertex_array(self.program, [])
        self.texture = context.texture((2, 1), 4, bytes([255, 0, 0, 255, 0, 255, 0, 255]))
        self.texture.use()
        context.enable(context.DEPTH_TEST)

    def draw(self, framebuffer, *_):
        framebuffer.clear()
        for place, depth in enumerate((-0.5, 0.5)):
            self.program["place"], self.program["depth"] = place, depth
            self.triangle.render(vertices=3)


class Wires(Mute):
    """A renderer that draws lines from the first picture on."""

    def __init__(self, context, *_):
        self.context = context
        context.wireframe = True

    def draw(self, framebuffer, *_):
        framebuffer.clear(self.context.wireframe, 0, 0)


class Broken(Mute):
    def draw(self, *_):
        raise RuntimeError("no triangles left")


class Deaf(Mute):
    def apply(self, _action):
        raise RuntimeError("no ears left")


def unbuildable(*_):
    raise RuntimeError("no shaders left")


NOT_CALLABLE = 1


def opened(renderer, size=SIZE):
    options = gl.Options(renderer=f"{__name__}:{renderer}")
    return gl.create(SourceSettings(size, 60, ManualClock(), options))


def pixels(frame):
    surface = frame.surface
    assert surface.format is PixelFormat.BGRA
    height_px, width_px = surface.resolution.height_px, surface.resolution.width_px
    return np.frombuffer(surface.planes[0].buffer, np.uint8).reshape(height_px, width_px, 4)[..., :3].astype(int)


@pytest.mark.parametrize("size", [SIZE, Resolution(1280, 720), Resolution(98, 54)], ids=str)
def test_gl_paints_the_scene_as_the_processor_does(size):
    source = gl.create(SourceSettings(size, 60, ManualClock()))
    scene, image = Scene(size, 60), np.empty((size.height_px, size.width_px, 4), np.uint8)
    actions = [
        PointerMove(20_000, 20_000),
        ButtonChange(0, is_down=True),
        ButtonChange(1, is_down=True),
        KeyChange("KeyA", is_down=True),
        TextEntry("Quick \u6f22"),
    ]
    started_at_us = None
    for action in actions:
        source.apply(action)
        scene.apply(action)
        frame = source.grab(LONG_US)
        started_at_us = frame.capture_us if started_at_us is None else started_at_us
        scene.draw(ImagePainter(image, scene.backdrop), frame.number, frame.capture_us - started_at_us)

        assert np.abs(pixels(frame) - image[..., :3]).max() <= ROUNDING
        source.release(frame)
    source.close()


def test_gl_rows_come_from_the_top_and_blue_comes_first():
    source = opened("Quarters", Resolution(64, 32))
    source.apply(KeyChange("KeyA", is_down=True))

    picture = pixels(source.grab(LONG_US))

    source.close()
    assert (picture[:16, :32] == (0, 0, 255)).all(), "the upper left is red"
    assert (picture[16:, 32:] == (0, 255, 0)).all(), "the lower right is green"
    assert (picture[16:, :32] == (1, 0, 0)).all(), "the rest is as blue as actions came"


@pytest.mark.parametrize("renderer", ["Settled", "Wires"])
def test_gl_leaves_to_a_renderer_what_it_has_set_once(renderer):
    source = opened(renderer, Resolution(64, 32))

    for _ in range(3):
        frame = source.grab(LONG_US)

        assert (pixels(frame) == (0, 0, 255)).all(), f"picture {frame.number} is red"
        source.release(frame)
    source.close()


def test_gl_draws_the_example_of_the_readme(monkeypatch):
    example = example_of("README.md", "moderngl")
    spin = ModuleType("spin")
    exec(example, vars(spin))
    monkeypatch.setitem(sys.modules, "spin", spin)
    source = gl.create(SourceSettings(SIZE, 60, ManualClock(), gl.Options(renderer="spin:Spin")))

    before = pixels(source.grab(LONG_US))
    source.apply(KeyChange("KeyA", is_down=True))
    after = pixels(source.grab(LONG_US))

    source.close()
    assert (before != after).all(axis=2).all(), "input turns the hue"


def test_gl_renderer_need_not_take_input():
    source = opened("Mute")
    source.apply(KeyChange("KeyA", is_down=True))

    assert source.grab(LONG_US) is not None
    source.close()


@pytest.mark.parametrize(
    ("renderer", "reason"),
    [("Broken", "no triangles left"), ("Deaf", "no ears left"), ("unbuildable", "no shaders left")],
)
def test_gl_source_ends_with_the_words_of_a_renderer_that_fails(renderer, reason):
    source = opened(renderer)
    source.apply(KeyChange("KeyA", is_down=True))

    with pytest.raises(SourceError, match=reason):
        source.grab(LONG_US)
    source.close()
    source.close()


@pytest.mark.parametrize(
    ("renderer", "reason"),
    [
        ("nowhere.at.all:Renderer", "No module named 'nowhere'"),
        (f"{__name__}:Missing", "Missing"),
        (f"{__name__}:NOT_CALLABLE", "cannot be called"),
    ],
)
def test_gl_names_the_renderer_that_is_not_there(renderer, reason):
    settings = SourceSettings(SIZE, 60, ManualClock(), gl.Options(renderer=renderer))

    with pytest.raises(ConfigError, match=reason) as caught:
        gl.create(settings)
    assert renderer in str(caught.value)


def test_gl_says_which_device_it_does_not_find():
    settings = SourceSettings(SIZE, 60, ManualClock(), gl.Options(device=99))

    with pytest.raises(Unavailable, match="device 99"):
        gl.create(settings)


def test_atlas_keeps_stencils_when_it_grows():
    context = open_context()
    stencils = [np.full((5 + shade % 3, 7), shade, np.uint8) for shade in range(1, 40)]
    with context:
        atlas = Atlas(context, 32, 8)

        places = [atlas.place(stencil) for stencil in stencils]

        size = atlas.texture.size
        content = np.frombuffer(atlas.texture.read(alignment=1), np.uint8).reshape(size[1], size[0])
        for stencil, (left, top) in zip(stencils, places, strict=True):
            rows, columns = stencil.shape
            assert (content[top : top + rows, left : left + columns] == stencil).all()
            assert atlas.place(stencil) == (left, top)
    context.release()


def test_demo_is_drawn_with_opengl_when_told_so():
    settings = SourceSettings(SIZE, 60, ManualClock(), demo.Options(drawn_by="gl", has_stamp=True))

    source = demo.create(settings)

    assert isinstance(source, gl.GlSource)
    source.close()


@pytest.mark.parametrize(
    ("renderer", "is_software"),
    [("llvmpipe (LLVM 15.0.6, 256 bits)", True), ("NVIDIA GeForce RTX 4090/PCIe/SSE2", False), ("softpipe", True)],
)
def test_device_knows_when_the_processor_does_the_work(renderer, is_software):
    assert Device(renderer).is_software is is_software


def test_gl_goes_through_the_host_where_opengl_is_not_on_the_gpu_that_encodes(caplog):
    if "NVIDIA" in context.device().renderer:
        pytest.skip("this is such a GPU")
    options = gl.Options(renderer=f"{__name__}:Quarters")
    source = gl.create(SourceSettings(SIZE, 60, ManualClock(), options, stays_on_gpu=lambda: True))

    frame = source.grab(LONG_US)

    assert frame.surface.memory is MemoryKind.HOST
    assert "copied through the host because OpenGL is done by" in caplog.text
    source.release(frame)
    source.close()
