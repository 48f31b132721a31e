"""HTTP: the page, signaling, authentication, health."""
