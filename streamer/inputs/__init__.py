"""Where input goes: one file is one backend."""
