"""Encoders: one file is one backend. `base` holds the contract that all of them keep."""

# The order in which `auto` tries them.
PREFERENCE = ("nvenc", "nvenc_av", "software")
