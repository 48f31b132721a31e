"""RTP and RTCP: bytes to values and back. No I/O, no clock."""
