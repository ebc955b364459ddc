"""The writer thread: order, errors, the backlog, and many recordings on one volume."""

from __future__ import annotations

import threading

from camkeep.archive.writer import BACKLOG_BYTES, Volume, Writer


def fail() -> None:
    raise OSError("the disk is gone")


def test_jobs_run_in_order_and_are_all_done_when_it_closes() -> None:
    done: list[int] = []
    writer = Writer(fail)
    for number in range(100):
        writer.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    writer.close()
    assert done == list(range(100))
    assert writer.error is None


def test_nothing_follows_a_failed_job_but_what_must() -> None:
    told: list[str] = []
    writer = Writer(lambda: told.append("failed"))
    writer.submit(fail)
    writer.submit(lambda: told.append("never"))
    writer.always(lambda: told.append("closed"))
    writer.close()
    assert told == ["failed", "closed"]
    assert isinstance(writer.error, OSError)


def test_the_backlog_is_bounded_and_drains() -> None:
    go = threading.Event()
    writer = Writer(fail)
    writer.submit(lambda: None if go.wait(30) else fail(), BACKLOG_BYTES)
    assert writer.full
    go.set()
    writer.close()
    assert not writer.full
    assert writer.error is None


def test_writers_on_one_volume_share_its_thread_but_no_error() -> None:
    volume = Volume()
    threads: list[int] = []
    first, second = (Writer(lambda: None, volume) for _ in range(2))
    first.submit(fail)
    for writer in (first, second):
        writer.always(lambda: threads.append(threading.get_ident()))
    second.submit(lambda: threads.append(threading.get_ident()))
    for writer in (first, second):
        writer.finished().result(30)
        writer.close()
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert first.error is not None
    assert second.error is None
    volume.close()
    assert threads[0] not in {thread.ident for thread in threading.enumerate()}


def test_a_writer_that_shares_its_volume_waits_for_no_other() -> None:
    volume, go, done = Volume(), threading.Event(), threading.Event()
    writer = Writer(fail, volume)
    volume.submit(lambda: done.set() if go.wait(30) else fail())
    writer.close()
    assert not done.is_set()
    go.set()
    volume.close()
    assert done.is_set()
