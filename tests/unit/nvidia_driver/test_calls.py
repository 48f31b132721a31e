"""The log says what was asked of the driver, field by field."""

from tests.nvidia_driver.calls import read_calls
from tests.nvidia_driver.driver import NvidiaDriver
from tests.unit.nvidia_driver import encode_clip


def test_log_has_each_step_of_an_encoder_and_leaves_nothing_open(tmp_path):
    log = tmp_path / "calls"

    encode_clip.run(NvidiaDriver(log=log), frames=3)

    calls = read_calls(log)
    assert {call.status for call in calls} == {0}
    assert len({call.process for call in calls}) == 1
    assert [call.at_us for call in calls] == sorted(call.at_us for call in calls)
    assert len(read_calls(log, "open_encode_session_ex")) == len(read_calls(log, "destroy_encoder"))
    for name in ("encode_picture", "lock_bitstream", "unlock_bitstream", "map_input_resource", "unmap_input_resource"):
        assert len(read_calls(log, name)) == 3
    ended = read_calls(log, "destroy_encoder")[-1]
    assert (ended["left_surfaces"], ended["left_bitstreams"]) == (0, 0)


def test_log_has_the_fields_of_an_initialization(tmp_path):
    log = tmp_path / "calls"
    options = {"vbvbufsize": 50_000, "vbvinit": 40_000, "multipass": "qres", "aq": 5, "fps": 59.94, "preset": "P3"}

    encode_clip.run(NvidiaDriver(log=log), codec="hevc", frames=1, target_bps=3_000_000, options=options)

    (made,) = read_calls(log, "initialize_encoder")
    wanted = {
        "codec": "h265",
        "width_px": 320,
        "height_px": 180,
        "fps_numerator": 5994,
        "fps_denominator": 100,
        "preset": 3,
        "tuning": 3,
        "rate_control_mode": 2,
        "average_bps": 3_000_000,
        "max_bps": 3_000_000,
        "vbv_bits": 50_000,
        "vbv_initial_bits": 40_000,
        "multi_pass": 1,
        "adaptive_quantization": 1,
        "adaptive_quantization_strength": 5,
        "repeats_parameter_sets": 1,
        "p_interval_frames": 1,
        "gop_frames": 0xFFFFFFFF,
    }
    assert {key: made[key] for key in wanted} == wanted


def test_log_has_the_fields_of_a_change_and_of_frames(tmp_path):
    log = tmp_path / "calls"

    result = encode_clip.run(NvidiaDriver(log=log), frames=6, keyframes=[4], rates={"2": 1_200_000})

    (change,) = read_calls(log, "reconfigure_encoder")
    wanted = {"average_bps": 1_200_000, "max_bps": 1_200_000, "vbv_bits": 20_000, "vbv_initial_bits": 20_000}
    assert {key: change[key] for key in wanted} == wanted
    assert (change["reset_encoder"], change["force_keyframe"]) == (0, 0)
    frames = read_calls(log, "encode_picture")
    assert [frame["is_keyframe"] for frame in frames] == [1, 0, 0, 0, 1, 0]
    assert [frame["bytes"] for frame in frames] == [len(packet.data) for (packet,) in result.packets]
