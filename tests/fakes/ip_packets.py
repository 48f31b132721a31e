"""IPv4 packets as a TUN device gives them, with as much of a header as anybody looks at."""

_VERSION_AND_HEADER_WORDS = 0x45
_UDP, _TCP = 17, 6
_RTP, _STUN = 0x80, 0x00


def rtp_packet(size_bytes: int = 1250) -> bytes:
    return _packet(_UDP, _RTP, size_bytes)


def stun_packet() -> bytes:
    return _packet(_UDP, _STUN, 100)


def tcp_packet(first_byte: int = _RTP) -> bytes:
    return _packet(_TCP, first_byte, 100)


def _packet(protocol: int, first_byte: int, size_bytes: int) -> bytes:
    header = bytes([_VERSION_AND_HEADER_WORDS, *bytes(8), protocol, *bytes(10)])
    transport_header = bytes(8)
    return (header + transport_header + bytes([first_byte])).ljust(size_bytes, b"\0")
