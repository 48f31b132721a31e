"""The pieces of the demo scene: what it knows, and what each of its parts draws."""
