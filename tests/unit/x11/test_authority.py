import stat
import struct

import pytest

from streamer.errors import ConfigError
from streamer.x11.authority import COOKIE_PROTOCOL, Credential, find_credential, write_cookie


def entry(family, number, secret, protocol=COOKIE_PROTOCOL):
    texts = b"".join(struct.pack(">H", len(text)) + text for text in (b"host", number, protocol, secret))
    return struct.pack(">H", family) + texts


LOCAL, INTERNET = 256, 0


def test_written_cookie_fits_every_display(tmp_path):
    path = tmp_path / "Xauthority"

    write_cookie(path)

    first, second = find_credential(path, 0), find_credential(path, 99)
    assert first == second
    assert first.protocol == COOKIE_PROTOCOL
    assert len(first.secret) == 16
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_cookies_differ(tmp_path):
    write_cookie(tmp_path / "a")
    write_cookie(tmp_path / "b")

    assert find_credential(tmp_path / "a", 0) != find_credential(tmp_path / "b", 0)


def test_cookie_is_never_written_over_another(tmp_path):
    write_cookie(tmp_path / "a")

    with pytest.raises(FileExistsError):
        write_cookie(tmp_path / "a")


@pytest.mark.parametrize(
    ("entries", "secret"),
    [
        ([entry(LOCAL, b"7", b"right"), entry(LOCAL, b"8", b"wrong")], b"right"),
        ([entry(LOCAL, b"", b"any"), entry(LOCAL, b"7", b"exact")], b"exact"),
        ([entry(INTERNET, b"7", b"far"), entry(LOCAL, b"7", b"near")], b"near"),
        ([entry(LOCAL, b"7", b"other", b"XDM-AUTHORIZATION-1")], None),
        ([entry(LOCAL, b"8", b"wrong")], None),
        ([], None),
        ([entry(LOCAL, b"7", b"right"), b"\x01\x00\x00"], b"right"),
        ([entry(LOCAL, b"7", b"cut short")[:-3]], None),
    ],
)
def test_best_entry_is_found(tmp_path, entries, secret):
    path = tmp_path / "Xauthority"
    path.write_bytes(b"".join(entries))

    found = find_credential(path, 7)

    assert found == (None if secret is None else Credential(COOKIE_PROTOCOL, secret))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="missing' cannot be read: No such file"):
        find_credential(tmp_path / "missing", 0)
