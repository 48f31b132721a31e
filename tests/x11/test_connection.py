import struct

import pytest

from streamer.errors import ConfigError, DeviceError
from streamer.media.frame import Resolution
from streamer.x11.authority import COOKIE_PROTOCOL
from streamer.x11.bands import all_bands
from streamer.x11.capture import RootCapture
from streamer.x11.connection import Connection
from tests.fakes.xvfb import running_xvfb

pytestmark = pytest.mark.x11


@pytest.mark.parametrize("secret", [b":" * 16, bytes(16), bytes(range(48, 64))], ids=["colons", "zeros", "mixed"])
def test_any_secret_opens_its_display(tmp_path, secret):
    path = tmp_path / "Xauthority"
    texts = (b"", b"", COOKIE_PROTOCOL, secret)
    path.write_bytes(struct.pack(">H", 65535) + b"".join(struct.pack(">H", len(text)) + text for text in texts))

    with running_xvfb("-auth", str(path)) as display, Connection(display, path) as connection:
        assert connection.query_size() == Resolution(640, 480)


def test_wrong_secret_is_refused_with_the_way_out(tmp_path, monkeypatch):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for path, secret in ((right, b"r" * 16), (wrong, b"w" * 16)):
        texts = (b"", b"", COOKIE_PROTOCOL, secret)
        path.write_bytes(struct.pack(">H", 65535) + b"".join(struct.pack(">H", len(text)) + text for text in texts))
    monkeypatch.setenv("XAUTHORITY", str(right))

    with running_xvfb("-auth", str(right)) as display:
        Connection(display).close()
        with pytest.raises(ConfigError, match="option xauthority"):
            Connection(display, wrong)


def test_missing_extension_is_named():
    with (
        running_xvfb("-extension", "XTEST", "-extension", "DAMAGE") as display,
        pytest.raises(DeviceError, match=f"display '{display}' has no DAMAGE extension"),
    ):
        RootCapture.open(display, None)


def test_refused_requests_do_not_end_the_connection(xvfb):
    with Connection(xvfb) as connection:
        connection.raw.core.DestroyWindow(0xDEAD)
        connection.sync()

        assert list(connection.events()) == []
        assert connection.query_size() == Resolution(640, 480)


def test_grab_of_a_screen_that_has_shrunk_meanwhile_asks_for_its_size(xvfb, client):
    capture = RootCapture.open(xvfb, None)
    segment = capture.allocate()
    client.resize(500, 300)

    is_whole = capture.grab(segment, all_bands(480))

    assert not is_whole
    assert capture.resolution == Resolution(500, 300)
    assert capture.is_changed()
    assert capture.take_changes() == all_bands(300)
    capture.close()
