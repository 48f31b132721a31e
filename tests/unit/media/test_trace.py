from streamer.media.trace import FrameTrace, Stage


def test_trace_durations_add_up_to_the_whole():
    trace = FrameTrace()
    for stage, at_us in zip(Stage, (100, 110, 130, 131, 140, 190, 200, 216), strict=True):
        trace.stamp(stage, at_us)

    durations_us = trace.durations_us()

    assert durations_us == {
        "convert": 10,
        "encode": 20,
        "packetize": 1,
        "send": 9,
        "arrive": 50,
        "decode": 10,
        "present": 16,
    }
    assert sum(durations_us.values()) == 216 - 100


def test_trace_counts_a_missing_stage_for_the_next_one():
    trace = FrameTrace()
    trace.stamp(Stage.CAPTURE, 100)
    trace.stamp(Stage.ENCODE, 130)

    assert trace.durations_us() == {"encode": 30}


def test_trace_without_a_capture_has_no_durations():
    trace = FrameTrace()
    trace.stamp(Stage.ENCODE, 130)

    assert trace.durations_us() == {}


def test_branch_of_a_trace_goes_on_by_itself():
    trace = FrameTrace()
    trace.stamp(Stage.CAPTURE, 100)

    branch = trace.branch()
    trace.stamp(Stage.SEND, 130)
    branch.stamp(Stage.SEND, 150)

    assert trace.durations_us() == {"send": 30}
    assert branch.durations_us() == {"send": 50}


def test_trace_tells_when_a_stage_ended():
    trace = FrameTrace()
    trace.stamp(Stage.SEND, 7)

    assert trace.at_us(Stage.SEND) == 7
    assert trace.at_us(Stage.ARRIVE) is None
