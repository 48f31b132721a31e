"""Who may come in: the token of the server, and whether it may be reached from other machines at all."""

import hmac
import logging
import stat
from pathlib import Path

from streamer.config import ServerConfig
from streamer.errors import AuthError, ConfigError

logger = logging.getLogger(__name__)

# A token is one line; whoever names a device or a log by mistake shall not wait for its end.
_MAX_TOKEN_FILE_BYTES = 4096


class Gate:
    """Compare tokens in constant time. Without a token of its own it lets everybody in."""

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    def check(self, token: str | None) -> None:
        """Let the bearer of `token` in.

        Raises:
            AuthError: it is missing or wrong; the message does not say which part of it.
        """
        if self._token is None:
            return
        if token is None:
            raise AuthError("this server asks for a token: open the address that it printed")
        if not hmac.compare_digest(token.encode(errors="surrogatepass"), self._token):
            raise AuthError("the token is wrong: open the address that this server printed")


def read_token(config: ServerConfig) -> str | None:
    """Return the token that viewers must know, or None if everybody may come in.

    Raises:
        ConfigError: the token file cannot be read or holds no usable token.
    """
    if config.token is not None:
        return config.token.get_secret_value()
    if config.token_file is None:
        return None
    text = _first_line(config.token_file)
    try:
        token = ServerConfig.model_validate({"token": text}).token
    except ValueError:
        raise ConfigError(
            f"server.token_file = {str(config.token_file)!r}: its first line is no token of at least 16 printable "
            "ASCII characters without spaces"
        ) from None
    return None if token is None else token.get_secret_value()


def check_exposure(config: ServerConfig) -> None:
    """Refuse to be reachable from other machines without a token and TLS.

    Raises:
        ConfigError: the address is not loopback, and what protects it is missing.
    """
    if config.is_loopback:
        return
    missing = []
    if config.token is None and config.token_file is None:
        missing.append("a token (--token-file)")
    if config.tls_certificate is None:
        missing.append("TLS (--tls-certificate and --tls-key)")
    if not missing:
        return
    if not config.is_insecure:
        raise ConfigError(
            f"server.host = {config.host!r} can be reached from other machines, and {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing; --insecure goes on without"
        )
    logger.warning("%s can be reached from other machines without %s, because of --insecure", config.host, missing)


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            content = file.read(_MAX_TOKEN_FILE_BYTES)
    except OSError as exc:
        raise ConfigError(f"server.token_file = {str(path)!r}: {exc.strerror}") from exc
    if stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        logger.warning("token file %s can be read by other users; chmod 600 makes it private", path)
    return content.decode("utf-8", errors="replace").partition("\n")[0].strip()
