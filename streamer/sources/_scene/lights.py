"""What shines on the open part of the scene: the pointer and its trail, ripples of clicks, the ball."""

from streamer.sources._scene import shapes
from streamer.sources._scene.layout import Layout
from streamer.sources._scene.painter import Painter, Tone
from streamer.sources._scene.pixels import Coverage, Rgb, from_hue
from streamer.sources._scene.state import RIPPLE_FRAMES, TRAIL_FRAMES, SceneState

# Main, middle, secondary, back, forward.
BUTTON_COLOURS: tuple[Rgb, ...] = ((70, 190, 255), (120, 255, 150), (255, 110, 130), (255, 200, 80), (200, 130, 255))
# Radii in pixels of the plan.
_GLOW, _TRAIL, _CORE, _PRESSED = 46, 24, 5, 22
_RIPPLE_FIRST, _RIPPLE_LAST, _RIPPLE_WEIGHT = 12.0, 120.0, 5.0
_ECHOES = 4
_BALL_GLOW_RATIO = 2.4


class Lights:
    """The pictures of all lights at one size. Belongs to the capture thread."""

    def __init__(self, layout: Layout) -> None:
        px = layout.px
        self._glow = shapes.glow(px(_GLOW))
        self._core = shapes.disc(px(_CORE))
        self._trail = [shapes.glow(max(2, px(_TRAIL) * (i + 1) / TRAIL_FRAMES)) for i in range(TRAIL_FRAMES)]
        self._pressed = shapes.ring(px(_PRESSED), px(4))
        self._ripples = [_ripple(age / RIPPLE_FRAMES, layout.scale) for age in range(RIPPLE_FRAMES + 1)]
        self._ball_glow = shapes.glow(layout.ball_radius * _BALL_GLOW_RATIO)
        self._ball = shapes.orb(layout.ball_radius)
        self._echo = shapes.ring(layout.ball_radius * 0.8, px(1.5))

    def draw(self, painter: Painter, state: SceneState) -> None:
        """Add all lights of this frame."""
        self._draw_ball(painter, state)
        for ripple in state.ripples:
            _centre(painter, ripple.x, ripple.y, self._ripples[ripple.age_frames], Tone(BUTTON_COLOURS[ripple.button]))
        self._draw_pointer(painter, state)

    def _draw_ball(self, painter: Painter, state: SceneState) -> None:
        ball = state.ball
        for echo in range(_ECHOES, 0, -1):
            x, y = round(ball.x - echo * ball.dx), round(ball.y - echo * ball.dy)
            if state.layout.court.holds(x, y):
                _centre(painter, x, y, self._echo, _accent(state.hue_degrees, 0.3 / echo, 0.0))
        x, y = round(ball.x), round(ball.y)
        _centre(painter, x, y, self._ball_glow, _accent(state.hue_degrees, 0.45, 0.0))
        _centre(painter, x, y, self._ball, _accent(state.hue_degrees, 1.0, 0.35))

    def _draw_pointer(self, painter: Painter, state: SceneState) -> None:
        places = list(state.trail)
        for place, light in zip(places, self._trail[-len(places) :] if places else [], strict=True):
            if place is not None and place != state.pointer:
                _centre(painter, *place, light, _accent(state.hue_degrees, 0.5, 0.0))
        if state.pointer is None:
            return
        _centre(painter, *state.pointer, self._glow, _accent(state.hue_degrees, 0.8, 0.2))
        _centre(painter, *state.pointer, self._core, Tone((255, 255, 255)))
        for button in state.buttons:
            _centre(painter, *state.pointer, self._pressed, Tone(BUTTON_COLOURS[button % len(BUTTON_COLOURS)]))


def _ripple(share: float, scale: float) -> Coverage:
    # Fast at first, as waves from a stone.
    grown = 1 - (1 - share) ** 2
    radius_px = (_RIPPLE_FIRST + (_RIPPLE_LAST - _RIPPLE_FIRST) * grown) * scale
    return shapes.ring(radius_px, max(1.0, _RIPPLE_WEIGHT * scale), strength=(1 - share) ** 1.2)


def _centre(painter: Painter, x: int, y: int, stencil: Coverage, tone: Tone) -> None:
    painter.light(x - stencil.shape[1] // 2, y - stencil.shape[0] // 2, stencil, tone)


def _accent(hue_degrees: float, strength: float, whiteness: float) -> Tone:
    return Tone(from_hue(hue_degrees), strength, whiteness)
