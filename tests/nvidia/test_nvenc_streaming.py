"""A rendition whose encoder is NVENC, on a driver that fails while it streams: run with faults of its own."""

import os
import re

import pytest

from streamer.config import Config
from streamer.protocol.control import Stream
from streamer.session.assembly import Assembly
from streamer.session.hub import RenditionKey
from tests.fakes.pushed_source import SIZE
from tests.fakes.rendition import RenditionRig
from tests.fakes.session import frames, open_session
from tests.fakes.waiting import until
from tests.nvidia.machine import calls
from tests.nvidia_driver.calls import HANGS

FAULTS = os.environ.get("NVIDIA_SUBSTITUTE_FAULTS", "")


@pytest.fixture
def rig():
    config = {"session": {"size": str(SIZE)}, "video": {"codecs": ["h264"], "encoder": "nvenc"}}
    rig = RenditionRig(Assembly(Config.model_validate(config), SIZE), RenditionKey("h264", SIZE))
    yield rig
    rig.close()


@pytest.mark.skipif(FAULTS != "", reason="for a good driver")
def test_stream_is_encoded_by_nvenc(rig):
    rig.play(30)

    assert [frame.number for frame in rig.frames if frame.is_keyframe] == [0]
    assert rig.assembly.choices["h264"].encoder == "nvenc"


@pytest.mark.skipif(re.search(r"encode_picture:\d+:\d", FAULTS) is None, reason="for a driver that fails once or twice")
def test_stream_goes_on_with_a_keyframe_when_the_driver_fails(rig):
    rig.play(60)

    assert [frame.number for frame in rig.frames] == list(range(60))
    keyframes = [frame.number for frame in rig.frames if frame.is_keyframe]
    assert len(keyframes) == 1 + FAULTS.count("encode_picture")
    assert rig.owner.changes == rig.owner.failures == []
    assert rig.assembly.choices["h264"].encoder == "nvenc"


@pytest.mark.skipif("lost" not in FAULTS, reason="for a driver that loses the GPU")
def test_stream_goes_on_in_software_when_the_gpu_is_lost(rig):
    rig.play(60)
    rig.hear(lambda: rig.owner.changes)

    assert [frame.number for frame in rig.frames] == list(range(60))
    assert len([frame for frame in rig.frames if frame.is_keyframe]) == 2
    choice = rig.assembly.choices["h264"]
    assert choice.encoder == "software"
    assert choice.reason.startswith("nvenc failed 3 times in a row")


@pytest.mark.skipif("hang" not in FAULTS, reason="for a driver that hangs")
async def test_stream_goes_on_in_software_when_a_call_does_not_return(monkeypatch):
    monkeypatch.setattr("streamer.session.studio._JOIN_US", 10_000)
    async with open_session(video={"codecs": ["h264"], "encoder": "nvenc"}) as rig:
        await rig.join("ann")
        await rig.answer("ann", "h264")
        peer = rig.peers.made[-1]
        await until(lambda: peer.codec)
        peer.connect()
        while not is_hung():
            before = len(peer.video.frames)
            rig.push()
            await until(lambda before=before: len(peer.video.frames) > before or is_hung())

        await rig.sit_out()
        await until(lambda: peer.heard(Stream)[-1].encoder == "software")
        rig.push()
        assert (await frames(peer, before + 1))[before].is_keyframe


def is_hung() -> bool:
    return any(call.status == HANGS for call in calls())
