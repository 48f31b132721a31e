"""Read and write the bits of a parameter set: fixed-width fields and Exp-Golomb codes.

H.264, clauses 7.2 and 9.1; H.265, clauses 7.2 and 9.2.
"""

from streamer.errors import LocalProtocolError

# A code with more leading zeros does not fit 32 bits; no field of a parameter set needs more.
_MAX_LEADING_ZEROS = 32


class BitReader:
    """Reads from the first bit on."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "big")
        self._length = len(data) * 8
        self.position = 0

    def bits(self, count: int) -> int:
        """Return the next `count` bits as an unsigned number.

        Raises:
            LocalProtocolError: there are not so many.
        """
        end = self.position + count
        if end > self._length:
            raise LocalProtocolError("a parameter set ends in the middle of a field")
        self.position = end
        return self._number >> (self._length - end) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.bits(1))

    def ue(self) -> int:
        """Return the next unsigned Exp-Golomb code."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > _MAX_LEADING_ZEROS:
                raise LocalProtocolError("an Exp-Golomb code is longer than 32 bits")
        return (1 << zeros) - 1 + self.bits(zeros)

    def se(self) -> int:
        """Return the next signed Exp-Golomb code."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


class BitWriter:
    """Appends bits; the result is filled up to whole bytes by `trailing`."""

    def __init__(self) -> None:
        self._number = 0
        self._length = 0

    def bits(self, value: int, count: int) -> None:
        """Append `count` bits."""
        self._number = self._number << count | value
        self._length += count

    def flag(self, value: bool) -> None:  # noqa: FBT001 - it is the bit itself
        self.bits(int(value), 1)

    def ue(self, value: int) -> None:
        """Append an unsigned Exp-Golomb code."""
        self.bits(value + 1, 2 * (value + 1).bit_length() - 1)

    def copy(self, data: bytes, start: int, end: int) -> None:
        """Append the bits `start` to `end` of `data`."""
        reader = BitReader(data)
        reader.position = start
        self.bits(reader.bits(end - start), end - start)

    def trailing(self) -> bytes:
        """Append the stop bit and zeros up to a whole byte, and return everything."""
        self.bits(1, 1)
        self.bits(0, -self._length % 8)
        return self._number.to_bytes(self._length // 8, "big")


def stop_bit_at(payload: bytes, rest_at: int) -> int:
    """Return where the last one of a parameter set is, which ends it (clause 7.3.2.11 of H.264 and H.265)."""
    number = int.from_bytes(payload, "big")
    # What was read of a payload that ends before `rest_at` took its stop bit for content: nothing is left to copy.
    return max(rest_at, len(payload) * 8 - (number & -number).bit_length())
