"""What every stage's command shares: options, logging, a lock, its time, and how it ends."""

import argparse
import ctypes
import errno
import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import DISK_FAULTS, UserError
from pipeline.params import Block, load_block

log = logging.getLogger(__name__)

LOCKS = Path(".locks")
# When each stage last ran, for `stages.times`: it differs from run to run, and so stands in no artifact.
TIMES = Path(".times")
# What network file systems without locks answer.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


@dataclass(frozen=True)
class Stage:
    """What a stage reads, writes and runs.

    Attributes
    ----------
    name
        The stage's name in dvc.yaml.
    run
        Does the work, given the checked params and a path for each input and output.
    params, block
        The model of its params block, of `stages.blocks`, and the block's key in params.yaml; None where it
        has none.
    inputs, outputs
        Name of each option to its default path.
    """

    name: str
    run: Callable[[Any, Mapping[str, Path]], None]
    params: type[Block] | None = None
    block: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


def execute(stage: Stage, description: str | None, arguments: Sequence[str] | None = None) -> int:
    """Run a stage from the command line.

    Returns
    -------
    int
        0 when done, 1 after a user's mistake or where a GPU's memory or the disk is full, or may not be
        written (one line on stderr), 130 after Ctrl-C. A programming error keeps its traceback.
    """
    options = _parser(stage, description).parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=f"{stage.name}: %(message)s", stream=sys.stderr)
    _die_with_parent()
    try:
        params = (
            load_block(options.params, stage.block, stage.params) if stage.params and stage.block else None
        )
        with _locked(stage.name):
            paths = {name: getattr(options, name) for name in ["params", *stage.inputs, *stage.outputs]}
            stage.run(params, paths)
        _note_time(stage.name)
    except UserError as error:
        print(f"{stage.name}: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            raise
        place = f"{error.filename}: " if error.filename else ""
        print(f"{stage.name}: error: {place}{error.strerror}; mend that and run again", file=sys.stderr)
        return 1
    except RuntimeError as error:
        # By its words: it is torch's, which not every stage loads.
        if "CUDA" not in str(error) or "out of memory" not in str(error):
            raise
        print(f"{stage.name}: error: {_of_full_gpu(stage, str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{stage.name}: stopped", file=sys.stderr)
        return 130
    return 0


def _note_time(name: str) -> None:
    """Keep when this process began, its imports included, and ended; its group is that of its `dvc repro`."""
    noted = {"group": os.getpgrp(), "began": psutil.Process().create_time(), "ended": time.time()}
    # A stage that is done does not fail for it.
    with suppress(OSError):
        TIMES.mkdir(exist_ok=True)
        (TIMES / f"{name}.json").write_text(json.dumps(noted), encoding="utf-8")


def _of_full_gpu(stage: Stage, said: str) -> str:
    """Say in a line what torch says in many, and what to do."""
    sized = stage.params is not None and "batch_size" in stage.params.model_fields
    lower = f"lower {stage.block}.batch_size, or " if sized else ""
    return f"{said.splitlines()[0][:120].rsplit('. ', 1)[0]}; {lower}set CONVATLAS_DEVICE=cpu"


def _parser(stage: Stage, description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m stages.{stage.name.replace('-', '_')}", description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="the file of parameters")
    for verb, paths in (("read", stage.inputs), ("written", stage.outputs)):
        for name, default in paths.items():
            parser.add_argument(f"--{name}", type=Path, default=Path(default), metavar="PATH", help=verb)
    return parser


def _die_with_parent() -> None:
    """End when DVC ends: a killed `dvc repro` would leave this process running beside the next one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGTERM)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold the stage's lock; the kernel frees it when this process ends, however it ends."""
    LOCKS.mkdir(exist_ok=True)
    with (LOCKS / name).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"this stage runs already, as process {file.read().strip()}; wait for it or stop it"
            ) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            _warn_of_no_locks(error)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _warn_of_no_locks(error: OSError) -> None:
    """Say it once a session, such as a terminal's, and not in each of its stages."""
    said, session = LOCKS / "not-supported", str(os.getsid(0))
    if not said.exists() or said.read_text() != session:
        log.warning(
            "%s: this file system has no locks (%s): never run one stage twice at a time in this folder",
            LOCKS.resolve(), error.strerror,
        )  # fmt: skip
        said.write_text(session)
