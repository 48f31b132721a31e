"""Where frames come from: one file is one source."""
