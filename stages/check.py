"""Check every params block, the inputs and the network, before DVC touches any earlier output."""

import importlib
import logging
import pkgutil
from collections.abc import Mapping
from pathlib import Path

import stages
from pipeline.errors import UserError
from pipeline.params import Block, check_block, read_params, unknown_block
from stages.command import Stage, execute

log = logging.getLogger(__name__)

# Constant, so that a check that is run again leaves every other stage up to date.
PASSED = "every params block, the inputs and the network were checked\n"


def run(_params: None, paths: Mapping[str, Path]) -> None:
    """Check the blocks of all stages, then what each stage can know early.

    Raises
    ------
    UserError
        Naming every wrong key of every block, or the first other mistake.
    """
    found = [stage for stage in all_stages() if stage.block is not None]
    values = read_params(paths["params"])
    blocks: dict[str, Block] = {}
    problems = [
        unknown_block(name, [str(stage.block) for stage in found]) for name in _surplus(values, found)
    ]
    for stage in found:
        try:
            blocks[str(stage.block)] = _block(stage, values, paths["params"])
        except UserError as error:
            problems.append(str(error).removeprefix(f"{paths['params']}: "))
    if problems:
        raise UserError(f"{paths['params']}: {'; '.join(problems)}")
    for stage in found:
        if stage.check is not None:
            stage.check(blocks)
    paths["out"].parent.mkdir(parents=True, exist_ok=True)
    if not paths["out"].is_file() or paths["out"].read_text() != PASSED:
        paths["out"].write_text(PASSED)
    log.info("%d blocks checked", len(blocks))


def all_stages() -> list[Stage]:
    """Return every stage of this package but this one, by name of module.

    This is the one place where a stage loads others: a parameter's schema lives with its stage, and
    all must be known here.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(stages.__path__))
    modules = [
        importlib.import_module(f"stages.{name}") for name in names if name not in ("check", "command")
    ]
    return [module.STAGE for module in modules]


def _surplus(values: Mapping[str, object], found: list[Stage]) -> list[str]:
    return sorted(set(values) - {str(stage.block) for stage in found})


def _block(stage: Stage, values: Mapping[str, object], source: Path) -> Block:
    assert stage.block is not None and stage.params is not None
    if stage.block not in values:
        raise UserError(f"block '{stage.block}' is missing")
    return check_block(values[stage.block], stage.block, stage.params, source=str(source))


STAGE = Stage(name="check", run=run, inputs={"inputs": "inputs"}, outputs={"out": "artifacts/check"})

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
