import pytest

from streamer import registry
from streamer.codecs.base import Codec


@pytest.mark.parametrize("name", registry.names("codecs"))
def test_codec_module_keeps_the_contract(name):
    codec = registry.load("codecs", name)

    members = {member for member in (*Codec.__annotations__, *vars(Codec)) if not member.startswith("_")}
    assert members == {"NAME", "MIME_TYPE", "sdp_formats", "is_keyframe", "conform", "packetize"}
    assert members <= set(vars(codec))
    assert name == codec.NAME


def test_codecs_are_those_files_that_are_public():
    assert registry.names("codecs") == ["av1", "h264", "h265", "vp8"]
