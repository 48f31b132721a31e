"""TUN devices: what a program sends through one comes out of a descriptor as IP packets, and the other way round.

A device lasts as long as its descriptor, and belongs to the namespace of the thread that opened it.
"""

import fcntl
import os
import struct
import subprocess

from streamer.errors import ConfigError

# <linux/if_tun.h>: packets of the network layer, without a header of the driver's.
_TUNSETIFF = 0x4004_54CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_DEVICE = "/dev/net/tun"
_NAME = "emulated"
_PREFIX_BITS = 30
# The device's own queue must never be the bottleneck: it is emptied at once into the emulated one.
_QUEUE_PACKETS = 5_000
_MTU_BYTES = 1_500


def open_tunnel(address: str, peer: str) -> int:
    """Make a device in the namespace of the calling thread, give it an address, and return its descriptor.

    The default route leads to the peer: browsers find their own address by asking for the way to a public one, and
    nothing but the peer is there.

    Raises:
        OSError: this process may not.
        ConfigError: the program `ip` is not there, or does not do it.
    """
    descriptor = os.open(_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", _NAME.encode(), _IFF_TUN | _IFF_NO_PI))
        _configure(
            "link set lo up",
            # No addresses and no questions of IPv6: the link carries what is measured and nothing else.
            f"link set dev {_NAME} addrgenmode none",
            f"link set dev {_NAME} mtu {_MTU_BYTES} txqueuelen {_QUEUE_PACKETS} up",
            f"address add {address}/{_PREFIX_BITS} dev {_NAME}",
            f"route add default via {peer}",
        )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _configure(*lines: str) -> None:
    try:
        ended = subprocess.run(
            ["ip", "-batch", "-"],  # noqa: S607 - the path differs between systems
            input="\n".join(lines),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as exc:
        raise ConfigError("no program `ip` is installed; install the package iproute2") from exc
    if ended.returncode:
        raise ConfigError(f"`ip` could not set up the link: {ended.stderr.strip()}")
