"""Threads: results in order, few at once, failures at their turn."""

import threading
import time

import pytest

from pipeline.errors import UserError
from pipeline.parallel.threads import ordered


def test_results_come_in_the_order_of_the_items():
    def slow_first(item):
        time.sleep(0.02 * (item == 0))
        return item * item

    assert list(ordered(slow_first, range(50), threads=4)) == [item * item for item in range(50)]


def test_items_are_taken_only_as_results_are():
    taken = []
    results = ordered(str, (taken.append(item) or item for item in range(1000)), threads=2)
    next(results)
    assert len(taken) < 20
    results.close()


def test_a_failure_comes_out_at_its_turn_and_stops_the_rest():
    started, lock = [], threading.Lock()

    def fails_at_three(item):
        with lock:
            started.append(item)
        if item == 3:
            raise UserError("three")
        return item

    results = ordered(fails_at_three, range(1000), threads=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UserError, match="three"):
        next(results)
    assert len(started) < 30
