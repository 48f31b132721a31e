import pytest

from streamer.doctor import host
from streamer.doctor.host import Host
from streamer.doctor.report import Mark

CLOCK = "sys/devices/system/clocksource/clocksource0/current_clocksource"
GOOD = {
    "proc/sys/net/core/wmem_max": "4194304\n",
    "proc/loadavg": "0.20 0.30 0.40 1/200 4711\n",
    CLOCK: "tsc\n",
    "etc/os-release": 'PRETTY_NAME="A Linux 12"\n',
}


@pytest.fixture
def machine(tmp_path):
    """Return a host with these files and variables."""

    def make(files=None, **environment):
        for name, text in {**GOOD, **(files or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Host(tmp_path, environment)

    return make


def found(examined: Host, name: str):
    (finding,) = [finding for finding in host.examine(examined) if finding.name == name]
    return finding


def test_good_machine_is_described_without_advice(machine):
    findings = host.examine(machine({"sys/fs/cgroup/cpu.max": "max 100000"}))

    assert findings[0].text.startswith("A Linux 12, ")
    assert [finding.advice for finding in findings if finding.name != "machine.cores"] == [None] * 4


def test_small_send_buffer_is_told_with_the_command_that_helps(machine):
    finding = found(machine({"proc/sys/net/core/wmem_max": "212992"}), "network.send_buffer")

    assert finding.mark is Mark.NOTE
    assert finding.text == (
        "UDP send buffers may hold 212992 bytes, and 1048576 are asked for: large keyframes may have to wait or lose "
        "packets"
    )
    assert finding.advice == "sysctl -w net.core.wmem_max=1048576"


def test_quota_of_a_container_limits_the_cores(machine):
    finding = found(machine({"sys/fs/cgroup/cpu.max": "50000 100000"}), "machine.cores")

    assert (finding.mark, finding.text) == (Mark.NOTE, "0.5 processor cores may be used")
    assert finding.advice == "give it at least 2 cores: encoding and sending share them"


def test_busy_machine_is_told(machine):
    finding = found(machine({"proc/loadavg": "999.00 1.00 1.00 2/300 4711"}), "machine.load")

    sentence = "999.0 programs wanted a processor in the last minute: times below are too long"
    assert (finding.mark, finding.text) == (Mark.NOTE, sentence)


def test_slow_clock_is_told(machine):
    finding = found(machine({CLOCK: "hpet"}), "machine.clock")

    assert (finding.mark, finding.text) == (Mark.NOTE, "the time comes from hpet, which is slow to read")


@pytest.mark.parametrize(
    ("files", "environment"),
    [({".dockerenv": ""}, {}), ({"run/.containerenv": ""}, {}), ({}, {"container": "podman"})],
    ids=["docker", "podman", "variable"],
)
def test_container_is_recognised(machine, files, environment):
    assert not machine().is_container
    assert machine(files, **environment).is_container


def test_device_files_are_those_of_gpus(machine):
    names = ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null")

    assert machine({f"dev/{name}": "" for name in names}).nvidia_devices == ("nvidia0", "nvidia1", "nvidiactl")


def test_bare_machine_is_described_too(tmp_path):
    marks = {finding.name: finding.mark for finding in host.examine(Host(tmp_path, {}))}

    assert marks["network.send_buffer"] is marks["machine.clock"] is Mark.NOTE
