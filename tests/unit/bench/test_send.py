import pytest

from streamer.bench.line import Line
from streamer.bench.send import Round, figures_of
from streamer.bench.send_clip import read_units, write_units
from streamer.errors import ConfigError, SessionError


def a_round(cpu_s: float, lost: int = 0) -> Round:
    return Round(seconds=2.0, cpu_s=cpu_s, packets=600, expected_packets=1_200, lost_packets=lost)


def test_units_survive_their_file(tmp_path):
    units = [b"first", b"", b"x" * 70_000]

    write_units(tmp_path / "units", units)

    assert read_units(tmp_path / "units") == units


@pytest.mark.parametrize("content", [b"", b"\0\0\0\5abc", b"\0\0"])
def test_file_without_whole_units_is_refused(tmp_path, content):
    (tmp_path / "units").write_bytes(content)

    with pytest.raises(ConfigError, match="no whole access units"):
        read_units(tmp_path / "units")


def test_ratio_is_the_median_of_the_rounds():
    figures = figures_of(
        {
            "stock": [a_round(1.0), a_round(2.0), a_round(1.0)],
            "controlled": [a_round(0.7), a_round(1.6), a_round(9.0)],
            "unpaced": [a_round(0.5), a_round(1.0), a_round(0.6)],
            "bare": [a_round(0.4), a_round(0.8), a_round(0.6)],
            "server": [a_round(0.9), a_round(1.2), a_round(1.4)],
        }
    )

    assert figures["cpu_ratio"] == 0.8
    assert figures["cpu_ratio_unpaced"] == 0.5
    assert figures["control_percent"] == 40.0
    assert figures["cpu_percent"]["stock"] == 50.0
    assert figures["cpu_percent"]["server"] == 60.0


def test_cost_of_a_packet_counts_those_of_the_measured_frames():
    assert a_round(0.6).us_per_packet == pytest.approx(1_000)


def test_loss_is_counted_over_all_rounds():
    rounds = [a_round(1.0, lost=12), a_round(1.0)]

    assert figures_of(dict.fromkeys(("stock", "paced", "unpaced", "bare"), rounds))["loss_ratio"]["paced"] == 0.005


def test_program_that_ended_before_its_time_is_what_is_told():
    with Line("json.decoder") as line:
        with pytest.raises(SessionError, match="ended with status 0 before its time"):
            line.hear()
        with pytest.raises(SessionError, match="has ended before its time"):
            line.say({})
