"""Check every params block, captions, inputs and the network, before DVC touches any earlier output."""

import importlib
import logging
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from pipeline.errors import UserError
from pipeline.layers.layers import unfollowed
from pipeline.params import Block, check_block, read_params, unknown_block
from pipeline.report.wording import check_captions
from pipeline.store.replacing import replaced
from pipeline.weights.assembly import preview
from stages import blocks
from stages.command import Stage, execute

log = logging.getLogger(__name__)

# Constant, so that a check that is run again leaves every other stage up to date.
PASSED = "every params block, the inputs and the network were checked\n"


def run(_params: None, paths: Mapping[str, Path]) -> None:
    """Check all blocks against their schemas, build the network once, then check what each can know early.

    Captions come first of all: whoever corrects a word has changed nothing else.

    Raises
    ------
    UserError
        Naming every wrong key of every block, or the first other mistake.
    """
    check_captions()
    modules = all_blocks()
    checked = check_schemas(read_params(paths["params"]), modules, str(paths["params"]))
    network = preview(modules["model"].source_of(checked["model"], paths["inputs"]))
    reason = unfollowed(network.layers)
    if reason is not None:
        log.warning("look: %s; functional activations are not seen, receptive fields are unknown", reason)
    for module in modules.values():
        if hasattr(module, "check"):
            module.check(checked, network)
    if not paths["out"].is_file() or paths["out"].read_text() != PASSED:
        # Written in place it would change DVC's cache, where that is linked.
        with replaced(paths["out"]) as unfinished:
            unfinished.write_text(PASSED)
    log.info("%d blocks checked", len(checked))


def all_blocks() -> dict[str, ModuleType]:
    """Return the module of every block of params.yaml, by the block's name."""
    names = sorted(module.name for module in pkgutil.iter_modules(blocks.__path__))
    return {name: importlib.import_module(f"stages.blocks.{name}") for name in names}


def check_schemas(
    values: Mapping[str, object], modules: Mapping[str, ModuleType], source: str
) -> dict[str, Block]:
    """Check all blocks against their schemas; `source` names the file in errors.

    Raises
    ------
    UserError
        Naming every wrong key of every block, every block that is missing, every one that no stage has.
    """
    checked: dict[str, Block] = {}
    problems = [unknown_block(name, list(modules)) for name in sorted(set(values) - set(modules))]
    for name, module in modules.items():
        try:
            if name not in values:
                raise UserError(f"block '{name}' is missing")
            checked[name] = check_block(values[name], name, module.Params, source=source)
        except UserError as error:
            problems.append(str(error).removeprefix(f"{source}: "))
    if problems:
        raise UserError(f"{source}: {'; '.join(problems)}")
    return checked


STAGE = Stage(name="check", run=run, inputs={"inputs": "inputs"}, outputs={"out": "artifacts/check"})

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
