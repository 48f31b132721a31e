"""Each way in which the driver can be told to misbehave, once."""

import signal

import pytest

from tests.nvidia_driver.calls import read_calls
from tests.nvidia_driver.driver import DEVICE_NOT_EXIST, ENCODER_BUSY, Fault, NvidiaDriver
from tests.unit.nvidia_driver import encode_clip


def test_driver_makes_a_keyframe_after_each_drain_when_told_to():
    result = encode_clip.run(NvidiaDriver(drain_makes_keyframe=True), frames=5)

    assert result.keyframes == [0, 1, 2, 3, 4]


def test_driver_holds_packets_back_when_told_to():
    result = encode_clip.run(NvidiaDriver(held_packets=2), frames=6)

    assert result.numbers == [[], [], [0], [1], [2], [3]]


def test_driver_ignores_a_new_rate_when_told_to():
    driver = NvidiaDriver(ignores_rate=True)

    result = encode_clip.run(driver, frames=120, target_bps=4_000_000, rates={"60": 1_000_000})

    assert result.error == ""
    assert result.bps(slice(70, 120)) == pytest.approx(result.bps(slice(10, 60)), rel=0.1)


def test_driver_makes_a_keyframe_of_each_new_rate_when_told_to():
    driver = NvidiaDriver(reconfigure_makes_keyframe=True)

    result = encode_clip.run(driver, frames=12, rates={"6": 1_000_000})

    assert result.keyframes == [0, 6]


@pytest.mark.parametrize("call", ["encode_picture", "lock_bitstream", "end_of_stream", "map_input_resource"])
def test_driver_fails_a_call_when_told_to(call, tmp_path):
    log = tmp_path / "calls"
    driver = NvidiaDriver(log=log, faults=(Fault(call=call, nth=3, effect=ENCODER_BUSY),))

    result = encode_clip.run(driver)

    assert f"Error code : {ENCODER_BUSY}" in result.error
    assert len(result.packets) == 2
    failed = [number for number, made in enumerate(read_calls(log, call), 1) if made.status]
    assert failed == [3]


def test_driver_fails_several_calls_each_at_its_time(tmp_path):
    log = tmp_path / "calls"
    faults = (Fault(call="open_encode_session_ex", nth=9), Fault(call="reconfigure_encoder"))

    result = encode_clip.run(NvidiaDriver(log=log, faults=faults), rates={"4": 1_000_000})

    assert "Error code : 20" in result.error
    assert [call.name for call in read_calls(log) if call.status] == ["reconfigure_encoder"]


def test_driver_loses_its_engine_when_told_to(tmp_path):
    log = tmp_path / "calls"
    driver = NvidiaDriver(log=log, faults=(Fault(call="encode_picture", nth=3, effect="engine_lost"),))

    result = encode_clip.run(driver)

    assert f"Error code : {DEVICE_NOT_EXIST}" in result.error
    assert len(result.packets) == 2
    calls = read_calls(log)
    first = next(number for number, call in enumerate(calls) if call.status)
    assert {call.status for call in calls[first:]} == {DEVICE_NOT_EXIST}


def test_pynvvideocodec_ends_the_process_when_the_device_is_lost():
    driver = NvidiaDriver(faults=(Fault(call="encode_picture", nth=3, effect="device_lost"),))

    done = driver.run_python("-m", encode_clip.__name__, "{}")

    assert done.returncode == 1
    assert done.stdout == "" or "FATAL" in done.stdout


def test_driver_crashes_when_told_to():
    driver = NvidiaDriver(faults=(Fault(call="encode_picture", nth=3, effect="crash"),))

    done = driver.run_python("-m", encode_clip.__name__, "{}")

    assert done.returncode == -signal.SIGSEGV
