"""NAL units: written field by field, as the H.264 and H.265 standards name their kinds, and found in a stream."""

import re

from streamer.codecs._nal_units import nal_units


def u(value: int, bits: int) -> str:
    """Return a number in so many bits."""
    return f"{value:0{bits}b}"


def ue(value: int) -> str:
    """Return the Exp-Golomb code of a number."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def se(value: int) -> str:
    """Return the Exp-Golomb code of a signed number."""
    return ue(2 * value - 1 if value > 0 else -2 * value)


def packed(bits: str) -> bytes:
    """Return these bits as bytes, with zeros up to the end of the last one."""
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def escaped(bits: str) -> bytes:
    """Return these bits as bytes in which nothing looks like a start code."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", packed(bits))


def nal_unit(*fields: str) -> bytes:
    """Return the NAL unit of these fields, with the bit that ends its payload."""
    return escaped("".join(fields) + "1")


def units_of(data: bytes) -> list[bytes]:
    """Return the NAL units of an access unit."""
    return [data[start:end] for start, end in nal_units(data)]
