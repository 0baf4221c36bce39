"""What a stage leaves where there is nothing for it to do."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.status import Status, write_status
from pipeline.store.metrics import write_metrics


def leave(
    status: Status, paths: Mapping[str, Path], *, stage: str, version: int, made_from: Mapping[str, str]
) -> None:
    """Write a status to `out` in place of data, and metrics without a number; as `write_status`."""
    write_status(paths["out"], status, stage=stage, version=version, made_from=made_from)
    write_metrics(paths["metrics"], {})
