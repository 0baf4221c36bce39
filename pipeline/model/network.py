"""Networks: `build_network` makes one from its name, `save_network` and `load_network` keep it."""

import hashlib
import importlib.util
import inspect
import json
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors import SafetensorError
from torch import Tensor, nn

from pipeline.errors import UserError, nearest
from pipeline.formats.weights import Description, read_description, write_description
from pipeline.model.architectures import BUILTIN
from pipeline.model.tensors import numbers, read_tensors, write_tensors

TENSORS, SOURCE = "model.safetensors", "network.py"
# Heads for training only, which torchvision builds unless told otherwise.
WITHOUT_HEADS = {"aux_logits": False, "init_weights": True}
CLASSES = 1000


def build_network(architecture: str, classes: int | None, inputs: Path) -> nn.Module:
    """Build a network, its weights random.

    Parameters
    ----------
    architecture
        `torchvision:<name>`, `builtin:<name>`, or `<path>.py:<factory>` of the user's own: a function or a
        class that returns a module. It is given the number of classes if it has a parameter `classes` or
        `num_classes`.
    classes
        Number of outputs; None leaves the network's own.
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
        return _known(name, BUILTIN, "builtin")(classes or 10).eval()
    if kind == "torchvision":
        return _torchvision(name, classes).eval()
    if kind.endswith(".py") and name:
        return _from_file(_found(kind, inputs), name, classes).eval()
    raise UserError(
        f"model.architecture: '{architecture}' is none of torchvision:<name>, builtin:<name>, "
        "<path>.py:<factory>"
    )


def save_network(
    weights_dir: Path, network: nn.Module, description: Description, inputs: Path
) -> Description:
    """Keep a network in a weights folder: model.safetensors, model.json and the source of a user's own.

    Parameters
    ----------
    weights_dir
        Made if it is not there.
    network
        Its state dict is written.
    description
        What it is; its digest is set here.
    inputs
        As in `build_network`.

    Returns
    -------
    Description
        With its digest.

    Raises
    ------
    UserError
        A weight is not finite.
    """
    weights_dir.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{description.weights}: '{name}' holds NaN or infinity")
    kind, _, _ = description.architecture.partition(":")
    source = _found(kind, inputs).read_bytes() if kind.endswith(".py") else b""
    described = description.model_copy(update={"digest": _digest(description, source, state)})
    if source:
        (weights_dir / SOURCE).write_bytes(source)
    write_tensors(weights_dir / TENSORS, state)
    write_description(weights_dir, described)
    return described


def load_network(weights_dir: Path) -> nn.Module:
    """Load the network of a weights folder.

    Its tensors are mapped from the file, so that the processes of a machine share them.

    Parameters
    ----------
    weights_dir
        Folder that `save_network` wrote.

    Returns
    -------
    Module
        In eval mode, on the CPU, without gradients.

    Raises
    ------
    UserError
        A file is missing or damaged, or differs from what model.json's digest stands for.
    """
    description = read_description(weights_dir)
    path = weights_dir / TENSORS
    try:
        state = read_tensors(path)
        source = (weights_dir / SOURCE).read_bytes() if _is_file(description) else b""
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: missing or damaged ({error}); run the stage weights again") from error
    if _digest(description, source, state) != description.digest:
        raise UserError(
            f"{weights_dir}: the weights are not those of its model.json; run the stage weights again"
        )
    network = _unfilled(description, weights_dir)
    given: OrderedDict[str, Tensor] = OrderedDict(state)
    # Some of torchvision's networks take a state dict without versions for one of an older layout.
    given._metadata = network.state_dict()._metadata  # type: ignore[attr-defined]
    try:
        network.load_state_dict(given, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: does not fit {description.architecture}: {reason}") from error
    return network.eval().requires_grad_(False)


def _unfilled(description: Description, weights_dir: Path) -> nn.Module:
    """Build a network whose tensors are about to be replaced, without filling them if that is possible."""
    if _is_file(description):
        _, _, factory = description.architecture.partition(":")
        return _from_file(weights_dir / SOURCE, factory, len(description.classes) or None)
    try:
        with torch.device("meta"):
            network = build_network(description.architecture, len(description.classes) or None, weights_dir)
        buffers = set(dict(network.named_buffers())) - set(network.state_dict())
    except (RuntimeError, NotImplementedError):
        buffers = {"?"}
    # Buffers that are not saved would stay empty.
    return (
        build_network(description.architecture, len(description.classes) or None, weights_dir)
        if buffers
        else network
    )


def _is_file(description: Description) -> bool:
    return description.architecture.partition(":")[0].endswith(".py")


def _torchvision(name: str, classes: int | None) -> nn.Module:
    names = torchvision.models.list_models(module=torchvision.models)
    builder = _known(
        name, {item: torchvision.models.get_model_builder(item) for item in names}, "torchvision"
    )
    accepted = inspect.signature(builder).parameters
    # These two declare their heads only in the class behind the builder.
    extra = WITHOUT_HEADS if name in ("googlenet", "inception_v3") else {}
    assert "weights" in accepted
    return builder(weights=None, num_classes=classes or CLASSES, **extra)


def _known(
    name: str, builders: Mapping[str, Callable[..., nn.Module]], kind: str
) -> Callable[..., nn.Module]:
    if name in builders:
        return builders[name]
    meant = nearest(name, builders)
    hint = f"did you mean '{kind}:{meant}'?" if meant else f"there are {', '.join(sorted(builders))}"
    raise UserError(f"model.architecture: there is no network '{kind}:{name}'; {hint}")


def _found(path: str, inputs: Path) -> Path:
    places = [Path(path), inputs.parent / path, inputs / path, inputs / "network" / path]
    for place in places:
        if place.is_file():
            return place
    raise UserError(f"model.architecture: {path}: no such file (looked in {', '.join(map(str, places))})")


def _from_file(path: Path, factory: str, classes: int | None) -> nn.Module:
    try:
        build = _loaded(path, factory)
        network = build(**_class_count(build, classes))
    except UserError:
        raise
    except Exception as error:
        # The user's code may fail in any way, and the line where it does helps more than a traceback through
        # ours.
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else "?")
        raise UserError(
            f"{path}:{line}: {factory} does not build: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(network, nn.Module):
        raise UserError(f"{path}: {factory} must return a torch.nn.Module, got {type(network).__name__}")
    return network


def _loaded(path: Path, factory: str) -> Callable[..., Any]:
    name = f"_network_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
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
    return {name: classes} if name and classes is not None else {}


def _digest(description: Description, source: bytes, state: Mapping[str, Tensor]) -> str:
    what = description.model_dump(mode="json", include={"architecture", "classes", "preprocessing"})
    total = hashlib.sha256(json.dumps(what, sort_keys=True).encode())
    total.update(hashlib.sha256(source).digest())
    for name in sorted(state):
        tensor = state[name]
        total.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        total.update(numbers(tensor))
    return total.hexdigest()
