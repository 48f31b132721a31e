import pytest

from streamer.media.frame import Resolution
from streamer.session.hub import RenditionKey
from streamer.session.placement import FALL_PATIENCE_US, RETRY_US, RISE_PATIENCE_US, Need, Placement

_HD = Resolution(1280, 720)
# The rungs of the ladder below it.
_THREE_QUARTERS, _SMALL, _QUARTER = Resolution(960, 540), Resolution(640, 360), Resolution(320, 180)
_LOOK_US = 250_000


def _need(mbps: float, resolution: Resolution = _HD, codec: str = "h264") -> Need:
    return Need(codec, resolution, round(mbps * 1e6))


def _classes(placement: Placement, now_us: int, **mbps: float) -> dict[str, int]:
    keys = placement.place({viewer: _need(rate) for viewer, rate in mbps.items()}, now_us)
    return {viewer: key.rate_class for viewer, key in keys.items()}


def _classes_after(placement: Placement, since_us: int, for_us: int, **mbps: float) -> dict[str, int]:
    for now_us in range(since_us, since_us + for_us, _LOOK_US):
        _classes(placement, now_us, **mbps)
    return _classes(placement, since_us + for_us, **mbps)


def test_placement_lets_viewers_within_a_factor_of_two_share():
    placement = Placement(1)

    assert _classes_after(placement, 0, 10 * FALL_PATIENCE_US, a=10, b=5) == {"a": 0, "b": 0}


def test_placement_moves_a_viewer_that_stays_below_half():
    placement = Placement(1)

    before = _classes_after(placement, 0, FALL_PATIENCE_US - _LOOK_US, a=10, b=4.9)
    after = _classes(placement, FALL_PATIENCE_US, a=10, b=4.9)

    assert before == {"a": 0, "b": 0}
    assert after == {"a": 0, "b": 1}


def test_placement_forgives_a_dip():
    placement = Placement(1)
    _classes_after(placement, 0, FALL_PATIENCE_US - _LOOK_US, a=10, b=4)
    _classes(placement, FALL_PATIENCE_US, a=10, b=8)

    assert _classes_after(placement, FALL_PATIENCE_US, FALL_PATIENCE_US // 2, a=10, b=4) == {"a": 0, "b": 0}


def test_placement_brings_a_viewer_back_after_a_while_with_room():
    placement = Placement(1)
    start_us = FALL_PATIENCE_US
    _classes_after(placement, 0, start_us, a=10, b=4)

    barely = _classes_after(placement, start_us, 2 * RISE_PATIENCE_US, a=10, b=5.5)
    soon = _classes_after(placement, start_us + 2 * RISE_PATIENCE_US, RISE_PATIENCE_US - _LOOK_US, a=10, b=7)
    late = _classes(placement, start_us + 3 * RISE_PATIENCE_US, a=10, b=7)

    assert (barely["b"], soon["b"], late["b"]) == (1, 1, 0)


def test_placement_starts_its_patience_anew_when_the_direction_changes():
    placement = Placement(2)
    _classes_after(placement, 0, FALL_PATIENCE_US, a=16, b=5)
    rising_us = FALL_PATIENCE_US
    _classes_after(placement, rising_us, RISE_PATIENCE_US - _LOOK_US, a=16, b=12)

    falling = _classes(placement, rising_us + RISE_PATIENCE_US, a=16, b=1)

    assert falling == {"a": 0, "b": 1}


def test_placement_leaves_a_lone_viewer_where_it_is():
    placement = Placement(1)
    _classes_after(placement, 0, FALL_PATIENCE_US, a=10, b=4)

    assert _classes_after(placement, FALL_PATIENCE_US, 3 * RISE_PATIENCE_US, b=4) == {"b": 1}


def test_placement_lets_a_newcomer_share_with_whoever_is_there():
    placement = Placement(1)
    _classes_after(placement, 0, FALL_PATIENCE_US, a=10, b=4)

    assert _classes(placement, FALL_PATIENCE_US, b=4, c=8) == {"b": 1, "c": 1}


def test_placement_opens_no_more_renditions_than_can_be_made():
    placement = Placement(1)

    classes = _classes_after(placement, 0, 2 * FALL_PATIENCE_US, a=16, b=6, c=1)

    assert len(set(classes.values())) == 2


def test_placement_uses_the_room_that_hardware_has():
    placement = Placement(2)

    classes = _classes_after(placement, 0, 2 * FALL_PATIENCE_US, a=16, b=6, c=1)

    assert len(set(classes.values())) == 3


def test_placement_spares_the_slowest_path_rather_than_the_fastest():
    placement = Placement(1)

    classes = _classes_after(placement, 0, 2 * FALL_PATIENCE_US, a=16, b=6, c=1)

    # Shared with "b", "c" would get three times what its path carries.
    assert classes["a"] == classes["b"] != classes["c"]


def test_placement_never_joins_codecs():
    needs = {"a": _need(8), "b": _need(8, codec="vp8")}

    assert Placement(0).place(needs, 0) == {"a": RenditionKey("h264", _HD), "b": RenditionKey("vp8", _HD)}


@pytest.mark.parametrize("extra_renditions", [0, 1, 2])
def test_placement_counts_sizes_towards_the_renditions_that_can_be_made(extra_renditions):
    needs = {"a": _need(8), "b": _need(4, _THREE_QUARTERS), "c": _need(2, _SMALL), "d": _need(1, _QUARTER)}

    keys = Placement(extra_renditions).place(needs, 0)

    assert len(set(keys.values())) == 1 + extra_renditions


def test_placement_gives_viewers_that_join_the_smaller_picture():
    needs = {"a": _need(8), "b": _need(6, _SMALL)}

    keys = Placement(0).place(needs, 0)

    assert keys == dict.fromkeys("ab", RenditionKey("h264", _SMALL))


def test_placement_joins_the_nearest_sizes():
    needs = {"a": _need(8), "b": _need(4.5, _THREE_QUARTERS), "c": _need(0.5, _QUARTER)}

    keys = Placement(1).place(needs, 0)

    assert keys == {
        "a": RenditionKey("h264", _THREE_QUARTERS),
        "b": RenditionKey("h264", _THREE_QUARTERS),
        "c": RenditionKey("h264", _QUARTER),
    }


def test_placement_takes_least_away_from_the_many():
    needs = {**{f"a{number}": _need(8) for number in range(5)}, "b": _need(4, _SMALL), "c": _need(2, _QUARTER)}

    keys = Placement(1).place(needs, 0)

    # By size and rate "b" is as far from the one as from the other.
    assert {viewer: key.resolution for viewer, key in keys.items()} == {
        **{f"a{number}": _HD for number in range(5)},
        "b": _QUARTER,
        "c": _QUARTER,
    }


def test_placement_leaves_viewers_joined_while_only_targets_change():
    placement = Placement(1)
    before = placement.place({"a": _need(8), "b": _need(4, _THREE_QUARTERS), "c": _need(1, _SMALL)}, 0)

    after = placement.place({"a": _need(16), "b": _need(2, _THREE_QUARTERS), "c": _need(1.5, _SMALL)}, _LOOK_US)

    assert before == after


def test_placement_asks_for_no_further_rendition_for_a_while_after_one_did_not_open():
    placement = Placement(2)
    needs = {"a": _need(8), "b": _need(2, _SMALL), "c": _need(2, _SMALL, "vp8")}
    wanted = placement.place(needs, 0)

    placement.hold([wanted["a"]], 0)

    assert placement.place(needs, RETRY_US - 1) == {**wanted, "b": wanted["a"]}
    assert placement.place(needs, RETRY_US) == wanted


def test_placement_lets_viewers_share_the_nearest_rendition_that_works():
    placement = Placement(2)
    needs = {"a": _need(8), "b": _need(4, _THREE_QUARTERS), "c": _need(0.5, _QUARTER)}
    wanted = placement.place(needs, 0)

    placement.hold([wanted["a"], wanted["c"]], 0)

    assert placement.place(needs, 0) == {**wanted, "b": wanted["a"]}


def test_placement_forgets_who_has_left():
    placement = Placement(1)
    _classes_after(placement, 0, FALL_PATIENCE_US, a=10, b=4)
    _classes(placement, FALL_PATIENCE_US, a=10)

    assert _classes(placement, FALL_PATIENCE_US, a=10, b=4) == {"a": 0, "b": 0}


def test_placement_of_nobody_is_empty():
    assert Placement(1).place({}, 0) == {}
