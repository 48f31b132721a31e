"""Colour and scale between a source and an encoder: one file is one converter."""
