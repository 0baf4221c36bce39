"""Jobs of several kinds: each result in its own list, whoever was done first."""

import os
import time
from functools import partial

import pytest

from pipeline.parallel.jobs import Jobs


def slow(number):
    time.sleep(0.2)
    return number, os.getpid()


def quick(letter):
    return letter, os.getpid()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_results_are_with_their_kind_in_the_order_of_the_jobs(monkeypatch, workers):
    monkeypatch.setenv("CONVATLAS_WORKERS", workers)
    jobs = Jobs()
    numbers = jobs.add(partial(slow, one) for one in range(3))
    letters = jobs.add([partial(quick, one) for one in "abcd"])
    nothing = jobs.add([])
    jobs.work(trial=list)
    assert [one for one, _ in numbers] == [0, 1, 2] and [one for one, _ in letters] == list("abcd")
    assert nothing == []
    pids = {pid for _, pid in (*numbers, *letters)}
    assert (os.getpid() in pids) == (workers == "1") and len(pids) == int(workers)


def test_a_job_that_fails_ends_the_work():
    jobs = Jobs()
    jobs.add([partial(quick, "a"), partial(int, "b")])
    with pytest.raises(ValueError, match="'b'"):
        jobs.work(trial=list)
