"""Building a network from its name, its weights random."""

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torchvision
from torch import nn

from pipeline.errors import UserError, nearest
from pipeline.model.architectures import BUILTIN

# Heads for training only, which torchvision builds unless told otherwise.
WITHOUT_HEADS = {"aux_logits": False, "init_weights": True}
CLASSES = 1000
# How the modules are called that users' files become.
OWN = "_network_"


def build_network(architecture: str, classes: int | None, inputs: Path) -> nn.Module:
    """Build a network, its weights random.

    Parameters
    ----------
    architecture
        `torchvision:<name>`, `builtin:<name>`, or `<path>.py:<factory>` of the user's own: a function or a
        class that returns a module. It is given the number of classes if it has a parameter `classes` or
        `num_classes`.
    classes
        Number of outputs; None leaves the network's own, 1000 where a factory has no default.
    inputs
        The folder of the user's files; a path is looked for from here, from its parent, and from the current
        folder.

    Returns
    -------
    Module
        In eval mode.

    Raises
    ------
    UserError
        There is no such network, or it does not build.
    """
    kind, _, name = architecture.partition(":")
    if kind == "builtin":
        _check_known(name, "builtin")
        return BUILTIN[name](classes or 10).eval()
    if kind == "torchvision":
        return _torchvision(name, classes).eval()
    if kind.endswith(".py") and name:
        return build_from_file(find_source(kind, inputs), name, classes).eval()
    if architecture.endswith(".py"):
        raise UserError(
            f"model.architecture: '{architecture}' names no function of the file; write "
            f"{architecture}:build, where build is the function in it that returns the network"
        )
    known = {item: f"{kind}:{item}" for kind, names in _names().items() for item in names}
    meant = nearest(name or kind, known)
    hint = f"; did you mean '{known[meant]}'?" if meant else ""
    raise UserError(
        f"model.architecture: '{architecture}' is none of torchvision:<name>, builtin:<name>, "
        f"<path>.py:<factory>{hint}"
    )


def _names() -> dict[str, list[str]]:
    """Return the names of the networks that are known, by kind."""
    return {
        "torchvision": torchvision.models.list_models(module=torchvision.models),
        "builtin": list(BUILTIN),
    }


def _torchvision(name: str, classes: int | None) -> nn.Module:
    _check_known(name, "torchvision")
    builder = torchvision.models.get_model_builder(name)
    accepted = inspect.signature(builder).parameters
    # These two declare their heads only in the class behind the builder.
    extra = WITHOUT_HEADS if name in ("googlenet", "inception_v3") else {}
    assert "weights" in accepted
    return builder(weights=None, num_classes=classes or CLASSES, **extra)


def _check_known(name: str, kind: str) -> None:
    names = _names()[kind]
    if name not in names:
        meant = nearest(name, names)
        hint = f"did you mean '{kind}:{meant}'?" if meant else f"there are {', '.join(sorted(names))}"
        raise UserError(f"model.architecture: there is no network '{kind}:{name}'; {hint}")


def find_source(path: str, inputs: Path) -> Path:
    """Return the user's file of a network; `UserError` where none of the places that are looked in has it."""
    places = list(dict.fromkeys((Path(path), inputs.parent / path, inputs / path, inputs / "network" / path)))
    for place in places:
        if place.is_file():
            return place
    files = {item.name: item for item in sorted((inputs / "network").glob("*.py"))}
    meant = nearest(Path(path).name, files)
    hint = f"; did you mean '{files[meant]}'?" if meant else ""
    raise UserError(
        f"model.architecture: {path}: no such file (looked in {', '.join(map(str, places))}){hint}"
    )


def build_from_file(path: Path, factory: str, classes: int | None) -> nn.Module:
    """Build the network that a function of a user's file returns, in float32, as the images are.

    Raises
    ------
    UserError
        The file does not run, has no such function, or that returns no module.
    """
    try:
        build = _loaded(path, factory)
        network = build(**_class_count(build, classes))
    except UserError:
        raise
    except Exception as error:
        # The user's code may fail in any way.
        place = f"{path}:{error.lineno}: " if isinstance(error, SyntaxError) else line_of(error)
        reason = f"{type(error).__name__}: {error}{_arguments(error)}"
        raise UserError(f"{place or f'{path}: '}{factory} does not build: {reason}") from error
    if not isinstance(network, nn.Module):
        raise UserError(f"{path}: {factory} must return a torch.nn.Module, got {type(network).__name__}")
    return network.float()


def line_of(error: BaseException) -> str:
    """Return "file:line: " of the user's line where an error arose; empty if no frame is of a user's file.

    It says more than a traceback through our frames.
    """
    lines = [
        f"{frame.f_code.co_filename}:{line}: "
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").startswith(OWN)
    ]
    return lines[-1] if lines else ""


def _arguments(error: Exception) -> str:
    """Say how a class or function that needs arguments is given them."""
    needs = isinstance(error, TypeError) and "missing" in str(error) and "argument" in str(error)
    return "; write a function without arguments that returns it, and name that" if needs else ""


def _loaded(path: Path, factory: str) -> Callable[..., Any]:
    name = f"{OWN}{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and the like look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    build = getattr(module, factory, None)
    if not callable(build):
        functions = [
            key for key, value in vars(module).items() if callable(value) and value.__module__ == name
        ]
        raise UserError(f"{path}: has no function '{factory}'; it has {', '.join(functions) or 'none'}")
    return build


def _class_count(build: Callable[..., Any], classes: int | None) -> dict[str, int]:
    accepted = inspect.signature(build).parameters
    name = next((name for name in ("classes", "num_classes") if name in accepted), None)
    if name and classes is None and accepted[name].default is inspect.Parameter.empty:
        classes = CLASSES
    return {name: classes} if name and classes is not None else {}
