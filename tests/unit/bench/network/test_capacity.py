import pytest

from streamer.bench.network.capacity import NEVER_NS, Steps, Trace, constant, read_trace
from streamer.errors import ConfigError

_MS_NS = 1_000_000


def test_constant_capacity_serves_at_its_rate():
    # 1250 bytes are 10 kbit.
    assert constant(10_000_000).server().finish_ns(5 * _MS_NS, 1250) == 6 * _MS_NS


def test_steps_serve_across_their_ends():
    server = Steps(((0, 10_000_000), (1_000, 5_000_000))).server()

    # Half of the packet leaves in the first half millisecond, the rest at half the rate.
    assert server.finish_ns(500_000, 1250) == 2 * _MS_NS


def test_packet_waits_for_the_end_of_a_stall():
    server = Steps(((0, 10_000_000), (1_000, 0), (7_000, 10_000_000))).server()

    assert server.finish_ns(1 * _MS_NS, 1250) == 8 * _MS_NS


def test_packet_never_leaves_a_link_without_capacity():
    server = Steps(((0, 10_000_000), (1_000, 0))).server()

    assert server.finish_ns(2 * _MS_NS, 1250) == NEVER_NS


def test_steps_carry_the_sum_of_their_rates():
    steps = Steps(((0, 8_000_000), (1_000_000, 0), (2_000_000, 16_000_000)))

    assert steps.carried_bytes(500_000, 3_000_000) == 500_000 + 2_000_000


def test_trace_serves_a_packet_with_its_next_opportunities():
    server = Trace((3, 5, 9)).server()

    # 1500 bytes leave at 3 ms, the rest of 500 at 5 ms.
    assert server.finish_ns(1 * _MS_NS, 2000) == 5 * _MS_NS


def test_trace_serves_what_waits_with_the_rest_of_an_opportunity():
    server = Trace((3, 5, 9)).server()
    server.finish_ns(1 * _MS_NS, 500)

    assert server.finish_ns(3 * _MS_NS, 1000) == 3 * _MS_NS


def test_trace_forfeits_what_is_not_used():
    server = Trace((3, 5, 9)).server()
    server.finish_ns(1 * _MS_NS, 500)

    assert server.finish_ns(4 * _MS_NS, 500) == 5 * _MS_NS


def test_trace_begins_again():
    server = Trace((3, 5, 9)).server()

    assert server.finish_ns(9 * _MS_NS + 1, 1500) == 12 * _MS_NS
    assert server.finish_ns(100 * _MS_NS, 1500) == 102 * _MS_NS


def test_trace_carries_its_opportunities():
    trace = Trace((3, 5, 10))

    assert trace.carried_bytes(0, 30_000) == 9 * 1500
    assert trace.carried_bytes(4_000, 14_000) == 3 * 1500


def test_trace_is_read_from_a_file(tmp_path):
    (tmp_path / "lte.down").write_text("0\n1\n1\n7\n")

    assert read_trace(tmp_path / "lte.down") == Trace((0, 1, 1, 7))


@pytest.mark.parametrize("content", ["", "one", "3\n2", "-1\n4", "0\n0"])
def test_file_without_a_trace_is_refused(tmp_path, content):
    (tmp_path / "trace").write_text(content)

    with pytest.raises(ConfigError, match="is no trace"):
        read_trace(tmp_path / "trace")
