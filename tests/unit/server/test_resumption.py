from streamer.server.resumption import Resumption

TIMEOUT_US = 1_000_000


def test_resumption_makes_new_viewers_of_strangers() -> None:
    resumption = Resumption(TIMEOUT_US)

    first, second, third = (resumption.enter(secret, 0) for secret in (None, "unknown", "\udcff"))

    assert len({first[0], second[0], third[0]}) == 3
    assert len({first[1], second[1], third[1]}) == 3


def test_resumption_knows_a_viewer_by_its_secret() -> None:
    resumption = Resumption(TIMEOUT_US)
    viewer, secret = resumption.enter(None, 0)

    assert resumption.enter(secret, 10 * TIMEOUT_US) == (viewer, secret)


def test_resumption_forgets_a_viewer_that_stays_away() -> None:
    resumption = Resumption(TIMEOUT_US)
    viewer, secret = resumption.enter(None, 0)
    resumption.part(viewer, 5)

    assert resumption.enter(secret, 5 + TIMEOUT_US)[0] != viewer


def test_resumption_stops_the_count_when_a_viewer_comes_back() -> None:
    resumption = Resumption(TIMEOUT_US)
    viewer, secret = resumption.enter(None, 0)
    resumption.part(viewer, 5)
    resumption.enter(secret, 4 + TIMEOUT_US)

    assert resumption.enter(secret, 100 * TIMEOUT_US)[0] == viewer


def test_resumption_forgets_at_once_when_told_to() -> None:
    resumption = Resumption(TIMEOUT_US)
    viewer, secret = resumption.enter(None, 0)
    other, other_secret = resumption.enter(None, 0)
    resumption.forget(viewer)

    assert resumption.enter(secret, 0)[0] != viewer
    assert resumption.enter(other_secret, 0)[0] == other


def test_resumption_does_not_keep_secrets() -> None:
    resumption = Resumption(TIMEOUT_US)
    _, secret = resumption.enter(None, 0)

    assert secret not in repr(vars(resumption))
