"""A real server and a real browser, joined by an emulated link that real packets go through."""
