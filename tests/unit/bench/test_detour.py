import json

import pytest

from streamer.bench.detour import server_address, with_candidate, without_candidates
from streamer.errors import SessionError

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=group:BUNDLE 0 1\r\n"
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n"
CANDIDATES = (
    "a=candidate:a 1 udp 2130706431 fd00::7 41000 typ host\r\n"
    "a=candidate:b 1 udp 2130706431 10.1.2.3 42000 typ host\r\n"
    "a=candidate:c 1 udp 2130706431 10.9.9.9 43000 typ host\r\n"
    "a=end-of-candidates\r\n"
)
OFFER = HEAD + VIDEO + CANDIDATES + DATA + CANDIDATES


def test_server_address_is_the_first_ipv4_host_candidate():
    assert server_address(OFFER) == ("10.1.2.3", 42000)


def test_server_address_is_required():
    with pytest.raises(SessionError, match="no IPv4 address"):
        server_address(HEAD + VIDEO)


def test_offer_names_the_relay_alone_in_every_media_section():
    relayed = with_candidate(OFFER, ("10.1.2.3", 50000))

    candidates = [line for line in relayed.splitlines() if line.startswith("a=candidate")]
    assert [line.split()[4:6] for line in candidates] == [["10.1.2.3", "50000"]] * 2
    assert relayed.count("a=end-of-candidates") == 2
    assert relayed.startswith(HEAD + VIDEO)
    assert DATA in relayed


def test_answer_loses_its_candidates_and_nothing_else():
    message = {"type": "answer", "generation": 3, "sdp": HEAD + VIDEO + CANDIDATES}

    kept = without_candidates(json.dumps(message))

    assert kept is not None
    assert json.loads(kept) == {**message, "sdp": HEAD + VIDEO}


@pytest.mark.parametrize("kind", ["candidate", "end_of_candidates"])
def test_candidates_of_the_page_are_withheld(kind):
    assert without_candidates(json.dumps({"type": kind, "generation": 1})) is None


def test_other_messages_of_the_page_pass():
    text = json.dumps({"type": "hello", "version": 1})

    assert json.loads(without_candidates(text) or "") == json.loads(text)
