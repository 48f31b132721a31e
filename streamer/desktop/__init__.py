"""A private desktop: X server, window manager and application, and a guardian that ends them with us."""
