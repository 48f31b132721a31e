import numpy as np

from streamer.sources._scene.font import Font


def test_characters_without_strokes_share_one_glyph():
    font = Font(12, 2)

    glyphs = [font.glyph(character) for character in "漢字\u0300"]

    assert glyphs[0].any()
    assert all(glyph is glyphs[0] for glyph in glyphs)


def test_space_is_as_wide_as_a_letter_and_empty():
    font = Font(12, 2)

    space, letter = font.glyph(" "), font.glyph("W")

    assert not space.any()
    assert letter.any()
    assert space.shape == letter.shape


def test_line_is_its_glyphs_side_by_side():
    font = Font(12, 2)

    line = font.line("a b")

    assert np.array_equal(line, np.hstack([font.glyph("a"), font.glyph(" "), font.glyph("b")]))
