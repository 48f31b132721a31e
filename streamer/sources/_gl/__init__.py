"""Pictures drawn off-screen with OpenGL: the context, what is drawn with, and how pixels leave it."""
