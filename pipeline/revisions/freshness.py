"""Whether results are what the parameters, data and code now give."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError, some


def stale(project: Path, result: Path) -> str:
    """Say why a result of a project is out of date; empty where it is not.

    Parameters
    ----------
    project
        Its folder.
    result
        A stage's output, relative to it.

    Returns
    -------
    str
        The first stage that would run again, and what of it changed.

    Raises
    ------
    UserError
        If DVC cannot tell: no stage makes it, or another process works on the project.
    """
    # Beside this Python, where DVC is installed: a virtual environment need not be active.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = ["dvc", "status", "--json", "--with-deps", str(result)]
    try:
        done = subprocess.run(
            command, cwd=project, env={**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UserError("dvc is not installed, or not on the PATH") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise UserError(f"dvc status {result}: {(lines or ['failed without a word'])[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return next((f"{stage}: {_how(changes)}" for stage, changes in found.items()), "")


def _how(changes: list[Any]) -> str:
    """Return what changed of a stage, in DVC's words."""
    found = [change for one in changes for change in _flat("", one)]
    return some(found, 2)


def _flat(name: str, change: Any) -> Iterator[str]:
    """Yield what changed, each with the name that stands nearest."""
    if isinstance(change, Mapping):
        for inner, how in change.items():
            yield from _flat(inner, how)
    else:
        yield f"{name} {change}".strip()
