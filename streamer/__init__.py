"""Stream rendered frames to a browser over WebRTC and bring the viewer's input back."""

__version__ = "0.1.0"
