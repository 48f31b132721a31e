from threading import Event, Thread

import pytest

from streamer.clock import SystemClock
from streamer.session.feed import Feed
from tests.fakes.pushed_source import PushedSource
from tests.fakes.waiting import WAIT_S, block_until

FOR_EVER_US = round(WAIT_S * 1_000_000)


@pytest.fixture
def source() -> PushedSource:
    return PushedSource()


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def feed(source, failures):
    feed = Feed(source, SystemClock(), failures.append)
    yield feed
    feed.close()


def newest_is(feed, number):
    return lambda: feed.newest is not None and feed.newest.frame.number == number


def test_feed_gives_each_reader_the_newest_frame(feed, source):
    one, other = feed.reader(), feed.reader()
    for number in range(3):
        source.push(number)
    block_until(newest_is(feed, 2))

    leases = [one.take(), other.take()]

    assert [lease.frame.number for lease in leases] == [2, 2]
    assert not one.has_new
    assert not other.has_new
    for lease in leases:
        lease.release()


def test_feed_tells_a_waiting_reader_of_a_new_frame(feed, source):
    reader = feed.reader()
    source.push(0)

    reader.wait(FOR_EVER_US, for_new=True)

    assert reader.has_new


def test_feed_keeps_the_newest_frame_for_a_late_reader(feed, source):
    first = feed.reader()
    source.push(0)
    block_until(newest_is(feed, 0))
    first.close()

    late = feed.reader()

    assert late.has_new
    lease = late.take()
    assert lease.frame.number == 0
    lease.release()


def test_feed_gives_a_frame_back_when_a_newer_one_has_come(feed, source):
    feed.reader()
    for number in range(3):
        source.push(number)

    block_until(lambda: source.released == [0, 1])


def test_feed_does_not_give_a_frame_back_while_it_is_read(feed, source):
    reader = feed.reader()
    source.push(0)
    block_until(newest_is(feed, 0))
    lease = reader.take()

    source.push(1)
    source.push(2)
    block_until(newest_is(feed, 2))
    block_until(lambda: 1 in source.released)
    released_while_read = list(source.released)
    lease.release()
    lease.release()

    assert released_while_read == [1]
    assert source.released == [1, 0]


def test_feed_gives_a_frame_back_once_when_two_readers_hold_it(feed, source):
    readers = [feed.reader(), feed.reader()]
    source.push(0)
    block_until(newest_is(feed, 0))
    leases = [reader.take() for reader in readers]
    source.push(1)
    block_until(newest_is(feed, 1))

    leases[0].release()
    released_by_one = list(source.released)
    leases[1].release()

    assert released_by_one == []
    assert source.released == [0]


def test_feed_gives_every_frame_back_at_its_end(source, failures):
    feed = Feed(source, SystemClock(), failures.append)
    reader = feed.reader()
    for number in range(5):
        source.push(number)
    block_until(newest_is(feed, 4))
    lease = reader.take()
    lease.release()

    feed.close()

    assert sorted(source.released) == source.taken == [0, 1, 2, 3, 4]
    assert source.closes == 1


def test_feed_without_a_reader_captures_nothing(source, failures):
    feed = Feed(source, SystemClock(), failures.append)
    source.push(0)

    feed.close()

    assert source.grabs == 0


def test_feed_stops_capturing_when_its_last_reader_has_gone(feed, source):
    reader = feed.reader()
    block_until(lambda: source.grabs)
    reader.close()
    # The grab that is under way ends with this frame, and no other begins.
    source.push(0)
    block_until(newest_is(feed, 0))

    source.push(1)
    feed.close()

    assert source.taken == [0]


def test_feed_closes_while_its_source_waits_for_a_picture(source, failures):
    feed = Feed(source, SystemClock(), failures.append)
    feed.reader()
    block_until(lambda: source.grabs)

    feed.close()

    assert source.closes == 1
    assert failures == []


@pytest.mark.parametrize("failure", [None, ZeroDivisionError("of a library"), SystemExit("of a program that draws")])
def test_feed_tells_once_that_its_source_failed(feed, source, failures, failure):
    reader = feed.reader()
    source.push(0)
    block_until(newest_is(feed, 0))

    source.fail(failure)
    block_until(lambda: source.closes)
    feed.close()

    assert failures == ["pushed: the test says so" if failure is None else "the source failed; the log has the details"]
    assert source.released == [0]
    assert not reader.has_kept


def test_reader_waits_until_it_is_woken(feed):
    reader, has_returned = feed.reader(), Event()

    def wait():
        reader.wait(None, for_new=True)
        has_returned.set()

    thread = Thread(target=wait)
    thread.start()
    was_early = has_returned.is_set()
    reader.wake()
    thread.join(WAIT_S)

    assert not was_early
    assert has_returned.is_set()


def test_wake_before_a_wait_is_not_lost(feed):
    reader = feed.reader()
    reader.wake()

    reader.wait(None, for_new=False)


def test_reader_that_skips_a_frame_has_seen_it(feed, source):
    reader = feed.reader()
    source.push(0)
    block_until(newest_is(feed, 0))

    reader.skip()

    assert not reader.has_new
    assert reader.has_kept


def test_reader_of_an_empty_feed_takes_nothing(feed):
    reader = feed.reader()

    assert reader.take() is None
    assert not reader.has_new
