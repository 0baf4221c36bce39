"""Jobs in forked processes: results in order, no more processes than memory allows, no loss in silence."""

import os
import signal
import time

import pytest
import torch

from pipeline.errors import UserError
from pipeline.parallel import forks
from pipeline.parallel.forks import map_forked


@pytest.fixture(autouse=True)
def workers(monkeypatch):
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")


def nothing():
    pass


def slow_first(number):
    time.sleep(0.2 if number == 0 else 0)
    return number * number, os.getpid()


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_results_are_in_the_order_of_the_items(count):
    found = [result for result, _ in map_forked(slow_first, range(count), trial=nothing)]
    assert found == [number * number for number in range(count)]


def test_they_are_shared_out():
    pids = {pid for _, pid in map_forked(slow_first, range(9), trial=nothing)}
    assert len(pids) == 3 and os.getpid() not in pids


def test_one_process_is_this_one(monkeypatch):
    assert {pid for _, pid in map_forked(slow_first, range(4), trial=nothing, here=True)} == {os.getpid()}
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    assert {pid for _, pid in map_forked(slow_first, range(4), trial=nothing)} == {os.getpid()}


def takes_memory():
    torch.ones(25 << 20)


@pytest.mark.parametrize(("room", "processes"), [(120 << 20, 1), (250 << 20, 2), (0, 1), (None, 3)])
def test_no_more_processes_than_there_is_memory_for(monkeypatch, room, processes):
    monkeypatch.setattr(forks, "available", lambda: room)
    found = map_forked(slow_first, range(9), trial=takes_memory)
    assert len({pid for _, pid in found}) == processes


def dies_at_2(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_is_ended_ends_the_stage_in_one_line():
    with pytest.raises(UserError, match=r"^a process was ended from outside.*WORKERS=1, or a smaller"):
        list(map_forked(dies_at_2, range(5)))


def refuses(number):
    raise UserError(f"{number} is wrong")


def test_an_exception_is_the_function_s():
    with pytest.raises(UserError, match="0 is wrong"):
        list(map_forked(refuses, range(3), trial=nothing))


def test_signals_are_sent_back_in_forks():
    weights = torch.ones(3, requires_grad=True)

    def slope(number):
        (found,) = torch.autograd.grad((number * weights).sum(), [weights])
        return found.tolist()

    assert list(map_forked(slope, range(3), trial=nothing)) == [[number] * 3 for number in range(3)]
