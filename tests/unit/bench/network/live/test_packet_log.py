from io import StringIO

from streamer.bench.network.link import Fate
from streamer.bench.network.live.packet_log import DOWN, UP, Packet, is_media, read_log, write_log
from tests.fakes.ip_packets import rtp_packet, stun_packet, tcp_packet


def _carried(direction, entered_us, *, departed_us=None, has_media=True):
    departed_us = departed_us or entered_us + 1_000
    return Packet(
        direction, entered_us, departed_us, departed_us + 20_000, departed_us + 20_050, 1250, Fate.CARRIED, has_media
    )


def _dropped(direction, entered_us):
    return Packet(direction, entered_us, None, None, None, 1250, Fate.QUEUE_FULL, True)


def _read(*packets):
    file = StringIO()
    write_log(file, packets)
    file.seek(0)
    return read_log(file)


def test_media_is_what_rfc_7983_says_over_udp():
    assert is_media(rtp_packet())
    assert not is_media(stun_packet())
    assert not is_media(tcp_packet())
    assert not is_media(rtp_packet()[:28])


def test_log_survives_the_file():
    down = [_carried(DOWN, 5_000), _dropped(DOWN, 6_000)]
    up = [_carried(UP, 7_000, has_media=False)]

    log = _read(*up, *down)

    assert log is not None
    assert log.down == down
    assert log.up == up
    assert [packet.queue_us for packet in log.down] == [1_000, None]
    assert [packet.lateness_us for packet in log.down] == [50, None]


def test_log_begins_with_the_first_media_that_goes_down():
    page = _carried(DOWN, 1_000, has_media=False)
    early = _carried(UP, 2_000)
    media = _carried(DOWN, 3_000)

    log = _read(media, page, early)

    assert log is not None
    assert (log.began_us, log.down, log.up) == (3_000, [media], [])


def test_log_without_media_is_none():
    assert _read(_carried(UP, 1_000), _carried(DOWN, 1_000, has_media=False)) is None
