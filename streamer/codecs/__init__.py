"""Codecs: one file is one bitstream format with its RTP payload format and its SDP parameters."""
