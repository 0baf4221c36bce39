import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.params import Block
from stages import command
from stages.command import Stage, execute

PROJECT = Path(__file__).parents[2]


class Params(Block):
    k: int


def stage(run):
    return Stage("some-stage", run, Params, "some", inputs={"a": "x/a"}, outputs={"out": "x/o"})


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_die_with_parent", lambda: None)
    (tmp_path / "params.yaml").write_text("some: {k: 3}")


def test_a_stage_gets_its_params_and_paths():
    seen = []
    assert execute(stage(lambda params, paths: seen.append((params, dict(paths)))), None, ["--out", "y"]) == 0
    assert seen == [(Params(k=3), {"params": Path("params.yaml"), "a": Path("x/a"), "out": Path("y")})]


def test_a_users_mistake_is_one_line_and_exit_1(capsys):
    def run(params, paths):
        raise UserError("k: too large")

    assert execute(stage(run), None, []) == 1
    assert capsys.readouterr().err == "some-stage: error: k: too large\n"


class Sized(Params):
    batch_size: int = 4


@pytest.mark.parametrize(
    ("params", "remedy"), [(Params, "set CONV"), (Sized, "lower some.batch_size, or set CONV")]
)
def test_a_full_gpu_is_one_line_and_exit_1(capsys, params, remedy):
    def run(params, paths):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has\nmore to say")

    assert execute(Stage("some-stage", run, params, "some"), None, []) == 1
    said = "CUDA out of memory. Tried to allocate 2.00 GiB"
    assert capsys.readouterr().err == f"some-stage: error: {said}; {remedy}ATLAS_DEVICE=cpu\n"


@pytest.mark.parametrize("said", ["CUDA error: an illegal memory access", "a file is out of memory"])
def test_another_error_of_torch_keeps_its_traceback(said):
    def run(params, paths):
        raise RuntimeError(said)

    with pytest.raises(RuntimeError, match=said):
        execute(stage(run), None, [])


@pytest.mark.parametrize("place", ["/dev/full", "locked/file"])
def test_a_disk_that_cannot_be_written_is_one_line_and_exit_1(capsys, place):
    def run(params, paths):
        if place == "locked/file":
            # Root may write everywhere, so that a folder without permission would not do.
            raise PermissionError(errno.EACCES, "Permission denied", place)
        Path(place).write_text("figure")

    assert execute(stage(run), None, []) == 1
    said = capsys.readouterr().err
    assert said.startswith("some-stage: error: ") and said.count("\n") == 1
    assert "No space left" in said or "locked/file: Permission denied" in said


def test_another_fault_of_the_system_keeps_its_traceback():
    def run(params, paths):
        Path("nowhere/file").write_text("")

    with pytest.raises(FileNotFoundError):
        execute(stage(run), None, [])


def test_wrong_params_end_before_the_work(capsys):
    Path("params.yaml").write_text("some: {k: no}")
    assert execute(stage(lambda params, paths: pytest.fail("ran")), None, []) == 1
    assert "'some.k'" in capsys.readouterr().err


def test_a_programming_error_keeps_its_traceback():
    def run(params, paths):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        execute(stage(run), None, [])


def test_ctrl_c_is_exit_130():
    def run(params, paths):
        raise KeyboardInterrupt

    assert execute(stage(run), None, []) == 130


def test_help_names_every_path(capsys):
    with pytest.raises(SystemExit) as ended:
        execute(stage(lambda params, paths: None), "What it does.", ["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(text in shown for text in ("What it does.", "--params", "--a PATH", "--out PATH", "x/o"))


def test_the_second_run_of_a_stage_names_the_first(capsys):
    def run(params, paths):
        assert execute(stage(lambda params, paths: pytest.fail("ran")), None, []) == 1

    assert execute(stage(run), None, []) == 0
    assert f"runs already, as process {os.getpid()}" in capsys.readouterr().err
    assert execute(stage(lambda params, paths: None), None, []) == 0


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_there_are_no_locks_stages_say_so_once_and_run(monkeypatch, caplog, code):
    monkeypatch.setattr("fcntl.flock", lambda *_: (_ for _ in ()).throw(OSError(code, os.strerror(code))))
    ran = []
    for _ in range(3):
        assert execute(stage(lambda params, paths: ran.append(1)), None, []) == 0
    assert len(ran) == 3
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1 and "this file system has no locks" in said[0]


def test_another_fault_of_a_lock_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("fcntl.flock", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"):
        execute(stage(lambda params, paths: pytest.fail("ran")), None, [])


def test_a_stage_ends_with_its_parent(tmp_path):
    child = (
        "import time; from pathlib import Path; from stages.command import Stage, execute\n"
        "def run(params, paths): Path('started').touch(); time.sleep(1000)\n"
        "execute(Stage(name='sleeper', run=run), None, [])"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path, env=environment)
    _wait_for(lambda: (tmp_path / "started").exists())
    pid = int((tmp_path / ".locks" / "sleeper").read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for(lambda: not _is_running(pid))


def _wait_for(condition):
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end, "waited 200 s"
        time.sleep(0.05)


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
