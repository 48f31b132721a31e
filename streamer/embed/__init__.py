"""A session inside a program, which is what `streamer serve` and `streamer.Stream` are."""
