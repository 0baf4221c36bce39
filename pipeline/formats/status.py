"""Whether an analysis was done, and if not, why.

An analysis that the report can do without always writes its artifact. Where its params say `run: false`, or
the data lack what it needs, the artifact holds its status and nothing else; else the status stands beside the
data. Either way it is two attributes of the file, ``status`` and ``status_reason``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

from pipeline import store
from pipeline.errors import UserError

Artifact = TypeVar("Artifact")
State = Literal["done", "not run", "not applicable"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Status:
    """What became of an analysis.

    Attributes
    ----------
    state
        "done"; "not run": the params ask for none; "not applicable": the data or the network lack what it
        needs.
    reason
        Why, as a sentence for readers of the report; empty where it was done.
    """

    state: State
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown state, and one other than "done" that gives no reason."""
        if self.state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}, got '{self.state}'")
        if (self.state == "done") == bool(self.reason):
            raise ValueError(f"a reason goes with every state but 'done', got {self}")


DONE = Status("done")


def not_run(block: str) -> Status:
    """Return the status of an analysis whose block of the params says `run: false`."""
    return Status("not run", f"params.yaml says {block}.run: false")


def mark(file: store.Writer, status: Status = DONE) -> None:
    """Give an artifact that is being written its status: every format of such an analysis calls it."""
    file.set_attributes("", {"status": status.state, "status_reason": status.reason})


def write_status(
    path: Path, status: Status, *, stage: str, version: int, made_from: Mapping[str, str] | None = None
) -> None:
    """Write an artifact that holds its status alone.

    Parameters
    ----------
    path
        Where the file goes.
    status
        Why there are no data.
    stage, version, made_from
        As of `pipeline.store.write`: `version` is that of the format whose place it takes.
    """
    assert status != DONE, "what was done has data"
    with store.write(path, stage=stage, version=version, made_from=made_from) as file:
        mark(file, status)


def status_of(file: store.Reader) -> Status:
    """Return the status of an open artifact.

    Raises
    ------
    UserError
        It bears none, or one that this version does not know.
    """
    attributes = file.attributes()
    try:
        return Status(attributes["status"], attributes["status_reason"])
    except (KeyError, ValueError) as error:
        raise UserError(f"{file.path}: bears no status ({error}); run its stage again") from None


@contextmanager
def opened(path: Path, version: int, of: Callable[[store.Reader], Artifact]) -> Iterator[Artifact | Status]:
    """Open an artifact as what is made of its file, or find out why it has no data; errors as of `status_of`.

    Parameters
    ----------
    path, version
        As of `pipeline.store.read`.
    of
        Makes of the open file what reads its data.
    """
    with store.read(path, version=version) as file:
        status = status_of(file)
        yield status if status.reason else of(file)


def read_artifact(path: Path, version: int, of: Callable[[store.Reader], Artifact]) -> Artifact | Status:
    """Read all of an artifact, or why it has no data; as of `opened`, but `of` reads what it returns."""
    with opened(path, version, of) as found:
        return found
