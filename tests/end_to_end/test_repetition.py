"""Equal inputs give equal bytes: from nothing, and after a stage was killed."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tests.end_to_end.miniature import MANY_SHARDS, PARAMS
from tests.end_to_end.project import Project, make_project

SECONDS_TO_START = 120


def test_two_runs_from_nothing_are_equal(finished, tmp_path):
    # Cold: the other run's stages were forked from one Python, of one seed of hashes.
    again = make_project(tmp_path / "project", PARAMS).cold()
    again.must("dvc", "repro", CONVATLAS_WORKERS="2")
    again.must_equal(finished)
    # Here DVC wrote it, there the server of warm Pythons.
    assert (again.root / "dvc.lock").read_bytes() == (finished.root / "dvc.lock").read_bytes()


def test_killed_extraction_keeps_finished_shards_and_ends_equal(copy, tmp_path):
    copy.set_params(MANY_SHARDS)
    undisturbed = copy.copy(tmp_path / "undisturbed")
    undisturbed.must("dvc", "repro", "extract")
    total = len(_shards(undisturbed.root))

    kept = _kill_extraction(copy, total)
    assert 0 < len(kept) < total
    copy.must("dvc", "repro", "extract")
    assert {path: path.stat().st_ino for path in kept} == kept
    copy.must_equal(undisturbed)


@pytest.mark.parametrize("stage", ["topk", "render-embedding"])
def test_killed_stage_is_run_again_and_ends_equal(finished, copy, stage):
    _force(copy, stage)
    process = _start(copy)
    _kill(_wait_for_stage(process, stage))
    assert process.wait(timeout=SECONDS_TO_START) != 0
    copy.must("dvc", "repro")
    copy.must_equal(finished)


def test_interrupted_run_leaves_no_process(copy):
    _force(copy, "extract")
    process = _start(copy, "extract")
    stage = _wait_for_stage(process, "extract")
    family = [stage, *stage.children(recursive=True)]
    # What a terminal does on Ctrl-C: every process of the foreground group gets the signal.
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=SECONDS_TO_START) != 0
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive


def _force(project: Project, stage: str) -> None:
    """Take away a stage's entry in dvc.lock and DVC's memory of its run, so that it has to run."""
    lock = project.root / "dvc.lock"
    content = yaml.safe_load(lock.read_text())
    del content["stages"][stage]
    lock.write_text(yaml.safe_dump(content, sort_keys=False))
    project.must("rm", "-rf", ".dvc/cache/runs", ".shards")


def _start(project: Project, *targets: str) -> subprocess.Popen:
    return subprocess.Popen(
        ["dvc", "repro", *targets], cwd=project.root, env=project.cold().environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=_heed_interrupts,
    )  # fmt: skip


def _heed_interrupts() -> None:
    # What a shell starts in the background is deaf to Ctrl-C and makes its children so: these tests too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait_for_stage(process: subprocess.Popen, stage: str) -> psutil.Process:
    module = f"stages.{stage.replace('-', '_')}"
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                if module in child.cmdline():
                    return child
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.005)
    raise AssertionError(f"{stage} was never seen running")


def _kill(stage: psutil.Process) -> None:
    family = [stage, *stage.children(recursive=True)]
    stage.kill()
    psutil.wait_procs(family, timeout=30)


def _shards(root: Path) -> list[Path]:
    return sorted((root / ".shards").rglob("*.h5"))


def _kill_extraction(project: Project, total: int) -> dict[Path, int]:
    """Kill the stage between its first and its last shard; return the finished ones with their inodes."""
    before = set(_shards(project.root))
    process = _start(project, "extract")
    stage = _wait_for_stage(process, "extract")
    while process.poll() is None and len(set(_shards(project.root)) - before) < total // 4:
        time.sleep(0.002)
    _kill(stage)
    process.wait(timeout=SECONDS_TO_START)
    return {path: path.stat().st_ino for path in _shards(project.root) if path not in before}
