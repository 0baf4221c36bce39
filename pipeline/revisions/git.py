"""Commands of git, and which revision is checked out."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import UserError

UNKNOWN = "unknown"
CHANGED = " with uncommitted changes"
# What points git at another repository than that of the folder, as it does within a hook.
_POINTERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def git(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, given: bytes | None = None
) -> str:
    """Run a command of git and return what it prints, without the last line's end.

    Parameters
    ----------
    folder
        Where it runs.
    arguments
        Of the command.
    environment
        Variables for this command, over those that there are.
    given
        What it reads from its standard input.

    Raises
    ------
    UserError
        If git is not there, or the command fails: with what it said last.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _POINTERS}
    # A password cannot be asked for where the output is read; a refresh of the index would write it.
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env={**inherited, **quiet, **(environment or {})}, input=given,
            stdin=subprocess.DEVNULL if given is None else None, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UserError("git is not installed, or not on the PATH") from None
    if done.returncode != 0:
        raise UserError(f"git {_command(arguments)}: {_said(done.stderr)}")
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def git_revision(folder: Path) -> str:
    """Return the commit that is checked out, and whether tracked files differ from it.

    Parameters
    ----------
    folder
        A folder of the repository.

    Returns
    -------
    str
        The commit's hash, with " with uncommitted changes" after it if so, or "unknown" outside git.
    """
    try:
        commit = git(folder, "rev-parse", "HEAD")
        changes = git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, UserError):
        return UNKNOWN
    return f"{commit}{CHANGED}" if changes else commit


def _command(arguments: tuple[str, ...]) -> str:
    """Return the command's name, without the settings that stand before it."""
    words = list(arguments)
    while words[:1] == ["-c"]:
        words = words[2:]
    return words[0] if words else ""


def _said(error: bytes) -> str:
    """Return the line of an error that says what is wrong: the first that begins so, or the last."""
    lines = [line.strip() for line in error.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: error"))]
    return next(iter(telling or lines[-1:]), "failed without a word")
