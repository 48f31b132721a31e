from dataclasses import replace

import pytest

from streamer import registry
from streamer.config import Config
from streamer.errors import EncoderError, Unavailable
from streamer.media.frame import BT601_LIMITED, EncodeOrder, MemoryKind, PixelFormat, Resolution
from streamer.session.assembly import Assembly
from streamer.session.conversion import Form
from streamer.session.hub import RenditionKey
from tests.fakes.broken_backend import BROKEN
from tests.fakes.clips import smooth_frame
from tests.fakes.pushed_source import SIZE
from tests.fakes.scarce_encoder import ScarceEncoder


@pytest.fixture
def broken(monkeypatch):
    """Install an encoder and a converter called "broken"."""
    monkeypatch.setattr(registry, "third_party", lambda kind: {"broken": BROKEN[kind]} if kind in BROKEN else {})


def assemble(largest=SIZE, **video):
    return Assembly(Config.model_validate({"session": {"size": str(SIZE)}, "video": video}), largest)


@pytest.mark.parametrize("codec", registry.names("codecs"))
def test_encoder_is_the_first_that_can(codec):
    choice = assemble(codecs=[codec], encoders=["software"]).choices[codec]

    assert (choice.encoder, choice.reason) == ("software", "it is the first that can")
    assert codec in choice.capabilities.codecs


def test_encoder_that_was_asked_for_says_so():
    choice = assemble(codecs=["vp8"], encoder="software").choices["vp8"]

    assert choice.reason == "it was asked for"


@pytest.mark.usefixtures("broken")
def test_encoder_that_does_not_keep_its_contract_is_passed_over():
    choice = assemble(codecs=["vp8"], encoders=["broken", "software"]).choices["vp8"]

    assert choice.encoder == "software"
    assert choice.reason == "it is the first that can (broken: it gave two frames for one)"


@pytest.mark.usefixtures("broken")
def test_session_without_an_encoder_says_why_each_cannot():
    with pytest.raises(Unavailable, match=r"encoders: none can encode vp8 \(broken: it gave two frames for one\)"):
        assemble(codecs=["vp8"], encoders=["broken"])


@pytest.mark.usefixtures("broken")
def test_encoder_that_was_asked_for_and_can_nothing_is_refused_in_one_sentence(caplog):
    with pytest.raises(Unavailable) as caught:
        assemble(codecs=["h264", "vp8"], encoder="broken")

    assert str(caught.value) == "broken: it gave two frames for one"
    assert not caplog.records


def test_codec_that_is_not_offered_is_named_with_the_reason(caplog):
    assert assemble(codecs=["h261", "vp8"], encoder="software").codecs == ("vp8",)

    (record,) = caplog.records
    assert record.message == "not offered: h261 (cannot encode 'h261'; it can do h264, vp8, h265, av1)"


@pytest.mark.usefixtures("broken")
def test_converter_that_was_asked_for_is_there_from_the_start():
    with pytest.raises(Unavailable, match="broken: there is no such device"):
        assemble(codecs=["vp8"], converter="broken")


def test_encoder_proves_itself_at_the_largest_picture(monkeypatch):
    scarce = ScarceEncoder.install(monkeypatch, largest=Resolution(1280, 720))

    choice = assemble(Resolution(3840, 2160), codecs=["vp8"], encoders=["scarce", "software"]).choices["vp8"]

    assert choice.encoder == "software"
    assert "scarce: pictures of 3840x2160; the largest are 1280x720" in choice.reason
    assert scarce.opened == []


def test_codec_that_only_another_gpu_makes_is_left_to_the_encoder_to_refuse(monkeypatch):
    scarce = ScarceEncoder.install(monkeypatch)
    first_gpu = replace(scarce.capabilities(), codecs=("h264",), max_resolution=Resolution(64, 64))
    monkeypatch.setattr(scarce, "capabilities", lambda: first_gpu)

    assert assemble(codecs=["vp8"], encoder="scarce").choices["vp8"].encoder == "scarce"


def test_encoder_is_opened_once_at_the_largest_picture(monkeypatch):
    scarce = ScarceEncoder.install(monkeypatch)

    assemble(Resolution(1920, 1080), codecs=["vp8"], encoder="scarce")

    assert scarce.opened == [Resolution(1920, 1080)]
    assert scarce.in_use == 0


class WatchedConversion:
    """A conversion that tells whether it was closed."""

    colour = BT601_LIMITED
    form = Form(PixelFormat.I420, Resolution(160, 90), MemoryKind.HOST)
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_converter_of_an_encoder_that_does_not_open_is_closed(monkeypatch):
    scarce = ScarceEncoder.install(monkeypatch)
    assembly = assemble(codecs=["vp8"], encoder="scarce")
    converter = WatchedConversion()
    monkeypatch.setattr("streamer.session.assembly.open_conversion", lambda *_: converter)
    scarce.most = 0

    key = RenditionKey("vp8", Resolution(160, 90))
    with pytest.raises(EncoderError, match="all 0 are in use"):
        assembly.assemble(assembly.choices["vp8"], key, smooth_frame(SIZE), EncodeOrder(1_000_000, 60))

    assert converter.is_closed
