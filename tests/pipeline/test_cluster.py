import os
import signal
from pathlib import Path

import pytest
from distributed import LocalCluster

from pipeline import cluster
from pipeline.errors import UserError


def square(number):
    return number * number


def die_once(marker: Path):
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def die(job):
    if job == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def fail(job):
    raise UserError("not this one")


def environment(_job):
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_")}


def run(client, function, jobs):
    return dict(cluster.map_jobs(client, function, jobs, label="testing", unit="jobs"))


@pytest.fixture(scope="module")
def client():
    with cluster.connect(workers=2) as client:
        yield client


def test_every_job_gives_its_receipt(client):
    assert run(client, square, range(20)) == {number: number * number for number in range(20)}


def test_no_jobs(client):
    assert run(client, square, []) == {}


def test_workers_have_one_thread_and_keep_their_memory(client):
    assert run(client, environment, [0])[0] == {"OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": None}


def test_a_users_mistake_in_a_worker_is_raised_here(client):
    with pytest.raises(UserError, match="not this one"):
        run(client, fail, [1])


def test_a_lost_worker_loses_no_job(client, tmp_path):
    marker = tmp_path / "marker"
    assert run(client, die_once, [marker]) == {marker: "done"}


def test_a_job_that_kills_every_worker_is_given_back(client):
    jobs = ["a", "deadly", "b"]
    assert run(client, die, jobs) == {"a": "a", "deadly": None, "b": "b"}


def test_a_cluster_is_found_by_its_address(monkeypatch):
    with LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=None) as running:
        monkeypatch.setenv(cluster.ADDRESS_VARIABLE, running.scheduler_address)
        with cluster.connect() as client:
            assert client.scheduler.address == running.scheduler_address
            assert run(client, square, [3]) == {3: 9}


def test_an_address_where_nobody_answers_is_named(monkeypatch):
    monkeypatch.setenv(cluster.ADDRESS_VARIABLE, "tcp://127.0.0.1:9")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match="tcp://127.0.0.1:9: no scheduler answers"), cluster.connect():
        pass


def test_preflight_names_what_differs(client, tmp_path, monkeypatch):
    cluster.preflight(client, ["errors"], ["numpy"], [tmp_path])
    with pytest.raises(UserError, match="does not see /nowhere"):
        cluster.preflight(client, [], [], [Path("/nowhere")])
    monkeypatch.setattr(cluster, "version", lambda name: "0.1")
    with pytest.raises(UserError, match="another numpy than here"):
        cluster.preflight(client, ["errors"], ["numpy"], [])
