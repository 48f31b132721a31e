"""Colour and scale between a source and an encoder: one file is one converter."""

# The order in which `auto` tries them: the cheapest first. The last two are for pictures on a GPU, the others for those
# in host memory.
PREFERENCE = ("libyuv", "opencv", "swscale", "cuda", "download")
