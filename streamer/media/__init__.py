"""What flows: frames, their time, their trace. No I/O, no clock, no threads."""
