import pytest

from streamer.encoders._nvenc_reasons import explain

PACKAGE = "CreateEncoder : \nError code : {0}\nError Type : m_nvenc.{1}(&parameters) returned error {0}\nat a.cpp:1\n"
FFMPEG_TOO_OLD = (
    "Driver does not support the required nvenc API version. Required: 13.0 Found: 12.1\n"
    "The minimum required Nvidia driver for nvenc is 570.0 or newer\n"
)


@pytest.mark.parametrize(
    ("message", "said", "expected"),
    [
        (PACKAGE.format(2, "nvEncOpenEncodeSessionEx"), "", "this GPU has no video encoder"),
        (PACKAGE.format(10, "nvEncOpenEncodeSessionEx"), "", "the driver gives no further encoding session"),
        (PACKAGE.format(21, "nvEncOpenEncodeSessionEx"), "", "the driver gives no further encoding session"),
        (PACKAGE.format(10, "nvEncMapInputResource"), "", "nvEncMapInputResource failed with NVENC error 10"),
        (PACKAGE.format(8, "nvEncGetEncodeCaps"), "", "this GPU does not encode av1"),
        (PACKAGE.format(8, "nvEncInitializeEncoder"), "", "nvEncInitializeEncoder failed with NVENC error 8"),
        ("EncodeFrame : \nError code : 5\nError Type : nvEncEncodePicture API failed\n", "", "the GPU was lost"),
        (
            "Copy : \nError Type : CUDA driver API error CUDA_ERROR_UNKNOWN",
            "",
            "the CUDA driver failed with CUDA_ERROR_U",
        ),
        ("Driver version is too old", "", "the NVIDIA driver is too old: NVENC API 12.1 is needed"),
        ("Failed to load NVENC library: libnvidia-encode.so.1", "", "the driver's video encoding library"),
        ("libcuda.so.1: cannot open shared object file", "", "there is no NVIDIA driver"),
        ("", "Cannot load libcuda.so.1", "there is no NVIDIA driver"),
        ("x", "OpenEncodeSessionEx failed: out of memory (10): (no details)", "the driver gives no further"),
        ("x", "OpenEncodeSessionEx failed: unsupported device (2): (no details)", "this GPU has no video encoder"),
        (
            "x",
            FFMPEG_TOO_OLD,
            "the NVIDIA driver is too old for this FFmpeg: it offers API 12.1, and 13.0 is needed (driver 570.0)",
        ),
        ("x", "No capable devices found", "this GPU does not encode av1"),
        ("\n  a library's own words\nmore", "", "a library's own words"),
        ("", "", "it failed without a word"),
    ],
)
def test_reason_says_what_to_do(message, said, expected):
    assert explain(RuntimeError(message), "av1", said).startswith(expected)
