import pytest

from streamer import registry
from streamer.config import Config
from streamer.errors import Unavailable
from streamer.session.assembly import Assembly
from tests.fakes.broken_backend import BROKEN


@pytest.fixture
def broken(monkeypatch):
    """Install an encoder and a converter called "broken"."""
    monkeypatch.setattr(registry, "third_party", lambda kind: {"broken": BROKEN[kind]} if kind in BROKEN else {})


def assemble(**video):
    return Assembly(Config.model_validate({"session": {"size": "320x180"}, "video": video}))


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_encoder_is_the_first_that_can(codec):
    choice = assemble(codecs=[codec]).choices[codec]

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
    with pytest.raises(Unavailable, match=r"none can encode vp8 \(broken: it gave two frames for one\)"):
        assemble(codecs=["vp8"], encoder="broken")


@pytest.mark.usefixtures("broken")
def test_converter_that_was_asked_for_is_there_from_the_start():
    with pytest.raises(Unavailable, match="broken: there is no such device"):
        assemble(codecs=["vp8"], converter="broken")
