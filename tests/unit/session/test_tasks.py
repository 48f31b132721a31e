import asyncio
import logging

import pytest

from streamer.session.tasks import Tasks, attempt, complete, in_thread
from tests.fakes.waiting import WAIT_S


async def for_ever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise ZeroDivisionError("of a library")


async def test_closed_tasks_have_ended():
    tasks = Tasks()
    running = [tasks.start(for_ever(), "one"), tasks.start(for_ever(), "two")]
    await asyncio.sleep(0)

    await tasks.close()

    assert all(task.cancelled() for task in running)


async def test_task_that_never_began_ends_without_a_word():
    tasks = Tasks()
    task = tasks.start(for_ever(), "one")

    await tasks.close()

    assert task.cancelled()


async def test_error_of_one_task_is_logged_with_its_name_and_ends_that_task_alone(caplog):
    tasks = Tasks()
    other = tasks.start(for_ever(), "one")

    with caplog.at_level(logging.ERROR):
        await asyncio.wait([tasks.start(fail(), "the second")])

    assert [record.getMessage() for record in caplog.records] == ["the second failed"]
    assert caplog.records[0].exc_info is not None
    assert not other.done()
    await tasks.close()


@pytest.mark.parametrize("failure", [ZeroDivisionError("of a library"), SystemExit("of a plugin")])
async def test_whoever_waits_for_a_thread_gets_what_it_raises(failure):
    def work() -> None:
        raise failure

    async with asyncio.timeout(WAIT_S):
        with pytest.raises(type(failure), match="of a"):
            await in_thread(work, "work")


async def test_drained_tasks_ended_by_themselves():
    tasks = Tasks()
    is_free = asyncio.Event()
    results = []

    async def work() -> None:
        await is_free.wait()
        results.append("done")

    tasks.start(work(), "one")
    tasks.start(fail(), "two")
    is_free.set()

    await tasks.drain()

    assert results == ["done"]


def test_error_of_a_call_is_logged_with_its_name_and_told(caplog):
    done = []

    with caplog.at_level(logging.ERROR):
        has_succeeded = [attempt(lambda: done.append(1), "the first"), attempt(lambda: 1 // 0, "the second")]

    assert has_succeeded == [True, False]
    assert done == [1]
    assert [record.getMessage() for record in caplog.records] == ["the second failed"]
    assert caplog.records[0].exc_info is not None


async def test_error_of_what_is_awaited_is_logged_with_its_name_and_told(caplog):
    with caplog.at_level(logging.ERROR):
        has_succeeded = [await complete(asyncio.sleep(0), "the first"), await complete(fail(), "the second")]

    assert has_succeeded == [True, False]
    assert [record.getMessage() for record in caplog.records] == ["the second failed"]
