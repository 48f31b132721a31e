import json

from streamer.congestion.decision import Decision, ProbeCluster, Reason, Usage


def test_decision_writes_all_that_it_says_as_json():
    decision = Decision(
        at_us=5,
        estimate_bps=4_000_000,
        target_bps=3_800_000,
        pacing_bps=8_000_000,
        in_flight_cap_bytes=None,
        usage=Usage.OVER,
        probe=ProbeCluster(1, 9_000_000, 16_875),
        reason=Reason.QUEUE,
    )

    fields = json.loads(json.dumps(decision.to_json()))

    probe = fields.pop("probe")
    assert Decision(**fields, probe=ProbeCluster(**probe)) == decision
    assert fields["reason"] == "queue"
