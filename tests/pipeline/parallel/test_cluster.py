import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from operator import itemgetter
from pathlib import Path

import dask
import pytest
import yaml
from distributed import LocalCluster

from pipeline.errors import UserError
from pipeline.parallel import cluster
from pipeline.parallel.processes import Lost

ROOT = Path(__file__).parents[3]


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


def linger(seconds):
    time.sleep(seconds)
    return seconds


def fail(job):
    raise UserError("not this one")


def environment(_job):
    return {name: os.environ.get(name) for name in cluster.WORKER_ENVIRONMENT}


def run(client, function, jobs):
    found = cluster.map_jobs(client, function, jobs, label="testing", unit="jobs")
    return {jobs[number]: receipt for number, receipt in found}


@pytest.fixture(scope="module")
def client():
    with cluster.connect(workers=2) as client:
        yield client


def test_every_job_gives_its_receipt(client):
    assert run(client, square, range(20)) == {number: number * number for number in range(20)}


def test_no_jobs(client):
    assert run(client, square, []) == {}


def test_workers_have_one_thread_and_keep_their_memory(client):
    assert run(client, environment, [0])[0] == cluster.WORKER_ENVIRONMENT


def test_a_users_mistake_in_a_worker_is_raised_here(client):
    with pytest.raises(UserError, match="not this one"):
        run(client, fail, [1])


def test_a_lost_worker_loses_no_job(client, tmp_path):
    marker = tmp_path / "marker"
    assert run(client, die_once, [marker]) == {marker: "done"}


def test_a_job_that_kills_every_worker_is_given_back_and_no_other(client):
    jobs = ["a", "deadly", *"bcdefgh"]
    assert run(client, die, jobs) == {job: job for job in jobs} | {"deadly": Lost("crashed")}


def test_several_deadly_jobs_are_given_back(client):
    found = cluster.map_jobs(client, die, ["deadly", "a", "deadly", "b"], label="testing", unit="jobs")
    assert sorted(found, key=itemgetter(0)) == [
        (0, Lost("crashed")),
        (1, "a"),
        (2, Lost("crashed")),
        (3, "b"),
    ]


def die_until_others_are_done(job: Path):
    """Kill the worker unless every other job has left its file."""
    others = [job.parent / name for name in "abc" if name != job.name]
    if job.name == "c" and not all(other.exists() for other in others):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.5)
    job.touch()
    return "done"


def test_a_job_that_was_blamed_beside_others_is_run_again_when_they_are_done(client, tmp_path):
    jobs = [tmp_path / name for name in "abc"]
    assert run(client, die_until_others_are_done, jobs) == dict.fromkeys(jobs, "done")


def die_early(job):
    if time.monotonic() < job:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.slow
def test_a_local_cluster_keeps_its_workers_however_often_they_are_lost(monkeypatch):
    """Dask looks again for a lost worker after 15 s and closes its nanny if the next is not up."""
    patient = cluster.LOCAL_SETTINGS | {"distributed.scheduler.allowed-failures": 1000}
    monkeypatch.setattr(cluster, "LOCAL_SETTINGS", patient)
    with cluster.connect(workers=1) as client:
        job = time.monotonic() + 20
        assert run(client, die_early, [job]) == {job: "done"}


def test_a_cluster_that_ends_too_late_leaves_the_error_that_ended_the_work(monkeypatch):
    close = LocalCluster._close

    async def late(self):
        await close(self)
        raise TimeoutError

    monkeypatch.setattr(LocalCluster, "_close", late)
    with pytest.raises(UserError, match="not this one"), cluster.connect(workers=1) as client:
        run(client, fail, [1])


def test_ctrl_c_is_left_to_the_process_that_started_the_workers(client):
    def blocked():
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    assert all(client.run(blocked).values())
    assert not blocked()


def test_handler_that_is_not_pythons_own_is_left_alone(monkeypatch):
    known, before = signal.getsignal, signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(
        signal, "getsignal", lambda number: None if number == signal.SIGTERM else known(number)
    )
    with cluster.deaf_to_interrupts():
        assert known(signal.SIGTERM) is before
        assert known(signal.SIGINT) is not signal.default_int_handler


@pytest.fixture
def hears_ctrl_c():
    # What a shell starts in the background is deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_while_workers_start_ends_them_when_they_have(monkeypatch):
    started = []

    def interrupted(**options):
        # Whichever thread takes the signal, its handler runs in this one.
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        started.append(LocalCluster(**options))
        return started[0]

    monkeypatch.setattr("pipeline.parallel.cluster._LocalCluster", interrupted)
    with pytest.raises(KeyboardInterrupt), cluster.connect(workers=1):
        pytest.fail("ran")
    assert started[0].status.name == "closed"


def test_a_cluster_is_found_by_its_address(monkeypatch):
    with LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=None) as running:
        monkeypatch.setenv(cluster.ADDRESS_VARIABLE, running.scheduler_address)
        with cluster.connect() as client:
            assert client.scheduler.address == running.scheduler_address
            assert run(client, square, [3]) == {3: 9}


@pytest.fixture
def by_hand(tmp_path, monkeypatch):
    """The process of a scheduler that was started as docs/clusters.md says, with one worker."""
    environment = os.environ | {"DASK_CONFIG": str(ROOT / "docs" / "dask.yaml")}
    file = str(tmp_path / "scheduler.json")
    scheduler_options = ("scheduler", "--host", "127.0.0.1", "--port", "0")
    worker_options = ("worker", "--nthreads", "1", "--memory-limit", "0", "--local-directory", str(tmp_path))
    started = []
    try:
        for options in (scheduler_options, worker_options):
            command = [sys.executable, "-m", "dask", *options, "--no-dashboard", "--scheduler-file", file]
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL))
        # Dask writes the file while others may read it.
        wait_for(lambda: Path(file).exists() and Path(file).read_text(encoding="utf-8").endswith("}"))
        monkeypatch.setenv(cluster.ADDRESS_VARIABLE, json.loads(Path(file).read_text())["address"])
        yield started[0]
    finally:
        for process in started[::-1]:
            process.terminate()
            process.wait(60)


def wait_for(condition):
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end, "waited 200 s"
        time.sleep(0.02)


def test_workers_started_by_hand_have_the_settings_of_local_ones(by_hand):
    with cluster.connect() as client:
        assert run(client, environment, [0])[0] == cluster.WORKER_ENVIRONMENT
        assert not any(client.run(lambda: multiprocessing.current_process().daemon).values())
        limits = client.run_on_scheduler(
            lambda dask_scheduler: (dask_scheduler.allowed_failures, dask_scheduler.WORKER_SATURATION)
        )
    wanted = ("distributed.scheduler.allowed-failures", "distributed.scheduler.worker-saturation")
    assert limits == tuple(cluster.SETTINGS[name] for name in wanted)


def test_settings_of_the_document_are_those_of_local_workers():
    """What a file of settings leaves out is Dask's own."""
    written = yaml.safe_load((ROOT / "docs" / "dask.yaml").read_text(encoding="utf-8"))
    for name, wanted in cluster.SETTINGS.items():
        found = dask.config.get(name, config=written)
        if isinstance(wanted, dict):
            found = {key: str(value) for key, value in found.items()}
        assert found == wanted, name


@pytest.mark.parametrize("reduce", [False, True])
def test_a_lost_scheduler_ends_the_work_with_one_line(by_hand, caplog, monkeypatch, reduce):
    lost = pytest.raises(UserError, match="cancelled: .*scheduler.*lost.*; finished work is kept")
    # What asks a scheduler that is gone for results waits as long as for one that is starting.
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 10)
    with lost as caught, cluster.connect() as client:
        if reduce:
            future = client.submit(linger, 5)
            by_hand.kill()
            future.result()
        jobs = cluster.map_jobs(client, linger, [0.2] * 50, label="testing", unit="jobs")
        next(jobs)
        by_hand.kill()
        list(jobs)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in caplog.text


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
