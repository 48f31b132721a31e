"""Colour and scale between a source and an encoder: one file is one converter."""

# The order in which `auto` tries them: the cheapest first.
PREFERENCE = ("libyuv", "opencv", "swscale")
