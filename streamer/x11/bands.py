"""Which rows of a picture changed, as one integer: bit n stands for rows 16n to 16n+15.

Full-width bands lie in one piece in a packed picture, so the server can write a band straight to its place. Values
only; whoever owns a buffer keeps the bands in which it is out of date.
"""

# Small enough that a line of text costs little, large enough that a 2160-row picture is 135 bits.
BAND_ROWS = 16
# Two runs closer than this are grabbed as one: a request costs about as much as 64 rows at 1080p (60 us).
_GAP_BANDS = 4


def all_bands(height_px: int) -> int:
    """Return the bands of a whole picture."""
    return (1 << -(-height_px // BAND_ROWS)) - 1


def bands_of(y_px: int, height_px: int) -> int:
    """Return the bands that rows `y_px` to `y_px + height_px - 1` touch; rows above the picture count for nothing."""
    first_px, end_px = max(0, y_px), y_px + height_px
    if end_px <= first_px:
        return 0
    first, end = first_px // BAND_ROWS, -(-end_px // BAND_ROWS)
    return ((1 << (end - first)) - 1) << first


def runs(bands: int, height_px: int) -> list[tuple[int, int]]:
    """Return (first row, number of rows) of each run of bands, those with small gaps between them as one."""
    found: list[list[int]] = []
    position = 0
    while bands:
        skipped = (bands & -bands).bit_length() - 1
        bands >>= skipped
        position += skipped
        length = (~bands & (bands + 1)).bit_length() - 1
        if found and position - found[-1][1] <= _GAP_BANDS:
            found[-1][1] = position + length
        else:
            found.append([position, position + length])
        bands >>= length
        position += length
    rows = [(first * BAND_ROWS, min(end * BAND_ROWS, height_px)) for first, end in found]
    return [(first_px, end_px - first_px) for first_px, end_px in rows if end_px > first_px]
