"""Processes that hang or die lose one item, not more."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from pipeline.errors import UserError
from pipeline.parallel.processes import CHUNK, Lost, count_workers, map_guarded


def square(number):
    return number * number


def results(function, count, workers=2, seconds=20.0):
    found = dict(map_guarded(function, range(count), workers=workers, seconds=seconds))
    assert sorted(found) == list(range(count))
    return [found[number] for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_once(count, workers):
    assert results(square, count, workers) == [number * number for number in range(count)]


def dies_at_70(number):
    if number == 70:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_dies_loses_its_item():
    expected = [*range(70), Lost("crashed"), *range(71, 200)]
    assert results(dies_at_70, 200) == expected
    assert results(dies_at_70, 200, workers=1) == expected


def hangs_at_3(number):
    if number == 3:
        time.sleep(1000)
    return number


def test_a_process_that_hangs_loses_its_item():
    started = time.monotonic()
    assert results(hangs_at_3, 8, seconds=2) == [0, 1, 2, Lost("timeout"), 4, 5, 6, 7]
    assert time.monotonic() - started < 500


def refuses_5(number):
    if number == 5:
        raise UserError("5 is wrong")
    return number


def test_an_exception_ends_the_map_and_the_processes():
    with pytest.raises(UserError, match="5 is wrong"):
        results(refuses_5, 100)


def fails_deep_inside(number):
    return [1, 2][number]


def test_an_exception_says_where_it_was_raised():
    with pytest.raises(IndexError) as failure:
        results(fails_deep_inside, 3)
    assert any("in fails_deep_inside" in note for note in failure.value.__notes__)


class Unsendable(Exception):
    def __init__(self, what, where):
        super().__init__(f"{what} at {where}")


def raises_what_cannot_be_sent(number):
    raise Unsendable("it", number)


def test_an_exception_that_cannot_be_sent_is_said_all_the_same():
    with pytest.raises(RuntimeError, match="Unsendable: it at 0"):
        results(raises_what_cannot_be_sent, 1)


def test_nothing_is_left_when_the_consumer_stops():
    before = set(multiprocessing.active_children())
    stream = map_guarded(square, range(500), workers=2, seconds=20)
    next(stream)
    assert len(set(multiprocessing.active_children()) - before) == 2
    stream.close()
    assert set(multiprocessing.active_children()) == before


PARENT = """
import multiprocessing, sys, time
from pipeline.parallel.processes import map_guarded
def wait(number):
    time.sleep(0.1)
for _ in map_guarded(wait, range(10_000), workers=3, seconds=60, chunk=1):
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
"""


def test_no_process_outlives_its_parent():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        children = [int(number) for number in parent.stdout.readline().split()]
        parent.kill()
    assert len(children) == 3
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(map(alive, children)):
        time.sleep(0.05)
    assert not any(map(alive, children))


def alive(number):
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_number_of_workers_from_the_environment(monkeypatch):
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")
    assert count_workers() == 3
    monkeypatch.setenv("CONVATLAS_WORKERS", "0")
    with pytest.raises(UserError, match="CONVATLAS_WORKERS"):
        count_workers()
    monkeypatch.delenv("CONVATLAS_WORKERS")
    assert count_workers() >= 1
