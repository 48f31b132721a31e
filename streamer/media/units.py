"""The factors between bytes and microseconds and bits per second, which everything that knows a rate needs."""

BITS_PER_BYTE = 8
# Bytes over a duration times this are a rate; a rate times a duration over this, bytes.
BITS_PER_BYTE_US = BITS_PER_BYTE * 1_000_000
