from dataclasses import replace

import pytest

from streamer.media.frame import BT601_LIMITED, SRGB_FULL, MemoryKind, PixelFormat, Plane, Resolution, Surface
from streamer.media.planes import host_surface, plane_shapes, why_planes_unfit


@pytest.mark.parametrize(
    ("pixel_format", "shapes"),
    [
        (PixelFormat.BGRA, [(4, 24)]),
        (PixelFormat.RGB24, [(4, 18)]),
        (PixelFormat.NV12, [(4, 6), (2, 6)]),
        (PixelFormat.I420, [(4, 6), (2, 3), (2, 3)]),
    ],
)
def test_every_format_has_its_planes(pixel_format, shapes):
    assert plane_shapes(pixel_format, Resolution(6, 4)) == shapes


@pytest.mark.parametrize(
    ("pixel_format", "shapes"),
    [(PixelFormat.NV12, [(3, 5), (2, 6)]), (PixelFormat.I420, [(3, 5), (2, 3), (2, 3)])],
)
def test_chroma_of_an_odd_size_is_rounded_up(pixel_format, shapes):
    assert plane_shapes(pixel_format, Resolution(5, 3)) == shapes


def surface(*planes: Plane) -> Surface:
    return Surface(MemoryKind.HOST, PixelFormat.NV12, Resolution(6, 4), planes, SRGB_FULL)


def plane(size_bytes: int, pitch_bytes: int = 6) -> Plane:
    return Plane(pitch_bytes, memoryview(bytes(size_bytes)))


def test_planes_with_room_for_the_picture_have_nothing_against_them():
    # The last row needs no padding.
    assert why_planes_unfit(surface(plane(3 * 8 + 6, 8), plane(12))) is None


@pytest.mark.parametrize(
    ("planes", "reason"),
    [
        ([plane(24)], "a surface of 1 planes; accepted are 2 for nv12"),
        ([plane(24), replace(plane(12), buffer=None)], "plane 1 of nv12 6x4: no buffer that the host can read"),
        ([plane(24), Plane(6, memoryview(bytes(24))[::2])], "plane 1 of nv12 6x4: a buffer that is not contiguous"),
        ([plane(24, 5), plane(12)], "plane 0 of nv12 6x4: a pitch of 5 bytes; accepted is 6 or more"),
        ([plane(24), plane(11)], "plane 1 of nv12 6x4: 11 bytes; 2 rows of pitch 6 take 12"),
    ],
)
def test_planes_that_do_not_hold_the_picture_are_refused(planes, reason):
    assert why_planes_unfit(surface(*planes)) == reason


DEVICE = Surface(
    MemoryKind.CUDA,
    PixelFormat.NV12,
    Resolution(6, 4),
    (Plane(6, pointer=4096), Plane(6, pointer=4120)),
    SRGB_FULL,
    device=0,
)


def test_planes_in_device_memory_fit_by_their_address():
    assert why_planes_unfit(DEVICE) is None
    # One row has nothing behind it that padding could push away.
    row = replace(DEVICE, format=PixelFormat.BGRA, resolution=Resolution(6, 1), planes=(Plane(64, pointer=4096),))
    assert why_planes_unfit(row) is None


@pytest.mark.parametrize(
    ("planes", "complaint"),
    [
        ((Plane(6), Plane(6, pointer=4120)), "plane 0 of nv12 6x4: no address in device memory"),
        ((Plane(6, pointer=4096), Plane(6, pointer=0)), "plane 1 of nv12 6x4: no address in device memory"),
        (
            (Plane(8, pointer=4096), Plane(8, pointer=4128)),
            "plane 0 of nv12 6x4: a pitch of 8 bytes; accepted is 6, rows without padding",
        ),
        ((Plane(6, pointer=4096),), "a surface of 1 planes; accepted are 2 for nv12"),
    ],
)
def test_planes_in_device_memory_that_do_not_fit_are_named(planes, complaint):
    assert why_planes_unfit(replace(DEVICE, planes=planes)) == complaint


@pytest.mark.parametrize(
    ("pixel_format", "parts"),
    [
        (PixelFormat.NV12, [(6, b"abcdefghijkl"), (6, b"ABCDEF")]),
        (PixelFormat.I420, [(6, b"abcdefghijkl"), (3, b"ABC"), (3, b"DEF")]),
    ],
)
def test_host_surface_is_cut_into_planes_that_follow_each_other(pixel_format, parts):
    whole = host_surface(memoryview(b"abcdefghijklABCDEF"), pixel_format, Resolution(6, 2), BT601_LIMITED)

    assert [(plane.pitch_bytes, bytes(plane.buffer)) for plane in whole.planes] == parts
    assert why_planes_unfit(whole) is None
