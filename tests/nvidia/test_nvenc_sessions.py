"""Sessions of the driver, of which there are few: who gets none is told so, and a resize needs no further one."""

import os

import pytest

from streamer.encoders import nvenc, nvenc_av
from streamer.errors import EncoderError
from streamer.media.frame import Resolution
from streamer.protocol.control import Stream
from tests.fakes.session import open_session
from tests.fakes.waiting import until
from tests.nvidia.machine import calls, opened, settings


@pytest.fixture
def one_session(monkeypatch):
    monkeypatch.setenv("NVIDIA_SUBSTITUTE_SESSIONS", "1")


@pytest.mark.usefixtures("one_session")
@pytest.mark.parametrize(
    "module",
    [
        nvenc,
        pytest.param(
            nvenc_av,
            marks=pytest.mark.skipif(
                os.environ["NVIDIA_SUBSTITUTE_API"] != "13.0", reason="for a driver that FFmpeg takes"
            ),
        ),
    ],
    ids=["nvenc", "nvenc_av"],
)
def test_session_too_many_is_explained(module):
    with opened(), pytest.raises(EncoderError, match=r"gives no further encoding session: .* end another program"):
        module.create(settings())


@pytest.mark.parametrize("size", [(640, 360), (160, 90)], ids=["larger", "smaller"])
async def test_source_that_changes_its_size_needs_no_session_more(monkeypatch, size):
    async with open_session(video={"codecs": ["h264"], "encoder": "nvenc"}) as rig:
        peer = await rig.join("ann")
        await rig.answer("ann", "h264")
        await until(lambda: peer.codec)
        peer.connect()
        rig.push()
        await until(lambda: peer.video.frames)
        monkeypatch.setenv("NVIDIA_SUBSTITUTE_SESSIONS", "1")
        before = len(calls("open_encode_session_ex"))

        rig.push(*size)
        await until(lambda: peer.video.frames[-1].resolution == Resolution(*size))

        # One asks what the GPU can do, and one encodes.
        assert [call.status for call in calls("open_encode_session_ex")[before:]] == [0, 0]
        assert [(told.encoder, told.width_px) for told in peer.heard(Stream)][-1] == ("nvenc", size[0])
