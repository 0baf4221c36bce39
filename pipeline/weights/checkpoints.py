"""A user's checkpoint file: its state dict, and how that fits a network.

Files are read without running anything that they hold: safetensors, or `torch.load` with `weights_only=True`.
"""

import argparse
import logging
import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.errors import UserError, some
from pipeline.weights.foreign_files import foreign, is_of_torch, is_safetensors

log = logging.getLogger(__name__)

State = dict[str, Tensor]
SUFFIXES = (".safetensors", ".pt", ".pth", ".th", ".ckpt", ".bin", ".tar")
# Where training programs put the state dict; the averaged weights are taken where there are no others.
NESTED = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params")
AVERAGED = ("state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "ema", "params_ema")
# The name under which NumPy before 2 pickled its numbers.
OLD_SCALAR = "numpy.core.multiarray.scalar"
# What training programs store beside tensors and what does nothing when it is loaded.
HARMLESS: list[Any] = [
    argparse.Namespace, np.dtype, np.float64(0).__reduce__()[0], (np.float64(0).__reduce__()[0], OLD_SCALAR),
    *(type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64", "bool")),
]  # fmt: skip
# Heads that torchvision's networks use in training only.
TRAINING_ONLY = ("AuxLogits.", "aux1.", "aux2.")
# DenseNet's names in the files that torchvision publishes: `norm.1` for what is now `norm1`.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)")
# What training keeps beside the network: a tensor that no layer has and whose name says this is no weight.
METRICS = frozenset(
    (
        "acc", "accuracy", "auroc", "confmat", "criterion", "f1", "iou", "loss", "losses", "metric",
        "metrics", "precision", "recall",
    )
)  # fmt: skip
SHOWN = 5


def read_checkpoint(path: Path) -> State:
    """Read the state dict of a checkpoint file.

    Parameters
    ----------
    path
        A file of safetensors or of `torch.save`, with one of `SUFFIXES`: the state dict itself or a
        dictionary that holds it under one of the usual keys. What in it is no tensor is left out.

    Returns
    -------
    dict
        Name to tensor, on the CPU; names as in the file.

    Raises
    ------
    UserError
        The file is missing, empty, truncated, of another kind, holds Python objects (they are not loaded),
        has no state dict, or has weights that are not finite.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: a checkpoint must be one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty; copy it again")
    if what := foreign(path):
        raise UserError(f"{path}: is {what}")
    # Files change their names more often than their content.
    other = path.suffix == ".safetensors" and not is_of_torch(path)
    content = _read_safetensors(path) if other or is_safetensors(path) else _read_pickle(path)
    state = _unwrapped(content, path)
    for name, tensor in state.items():
        finite = not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
        if not finite and not _is_metric(name, tensor):
            raise UserError(
                f"{path}: '{name}' holds NaN or infinity; the training diverged, take an earlier one"
            )
    return state


def fit_state(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict into a network; the names may carry prefixes such as `module.`.

    Parameters
    ----------
    network
        Its parameters and buffers are overwritten.
    state
        Name to tensor.
    source
        Where the state is from, for errors.

    Raises
    ------
    UserError
        Naming what is missing, unexpected, or of another shape.
    """
    expected = network.state_dict()
    given = _renamed(state, expected)
    extra = [name for name, tensor in given.items() if name not in expected and _is_metric(name, tensor)]
    if extra:
        log.warning("%s: %s: left out, as no weights of the network", source, _listed("holds", extra))
    given = {name: tensor for name, tensor in given.items() if name not in extra}
    missing = [name for name in expected if name not in given and not name.endswith("num_batches_tracked")]
    problems = [
        _listed("missing", missing),
        _listed("unexpected", [name for name in given if name not in expected]),
    ]
    problems += [
        f"'{name}' is {list(given[name].shape)} and should be {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in given and given[name].shape != tensor.shape
    ][:SHOWN]
    if any(problems):
        raise UserError(f"{source}: does not fit the network: {'; '.join(filter(None, problems))}")
    with torch.no_grad():
        for name, tensor in expected.items():
            if name in given:
                tensor.copy_(given[name])


def class_count(network: nn.Module, state: Mapping[str, Tensor]) -> int | None:
    """Return how many classes a state dict is for, if that is not what the network was built for.

    Parameters
    ----------
    network
        Built with its own number of classes.
    state
        Name to tensor, in any order; names may carry prefixes.

    Returns
    -------
    int or None
        The length of the tensors that differ from the network's in nothing but their first dimension; None
        where none does, or where they do not agree.
    """
    expected = network.state_dict()
    pairs = [
        (expected[name], tensor) for name, tensor in _renamed(state, expected).items() if name in expected
    ]
    lengths = {
        len(given)
        for own, given in pairs
        if own.ndim
        and given.ndim == own.ndim
        and own.shape != given.shape
        and own.shape[1:] == given.shape[1:]
    }
    return lengths.pop() if len(lengths) == 1 else None


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: truncated, or not a safetensors file ({error}); copy it again") from error


def _read_pickle(path: Path) -> Any:
    try:
        with path.open("rb") as file, torch.serialization.safe_globals(HARMLESS):
            # From an open file: by its name alone torch would read one called .safetensors.
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not is_of_torch(path):
            with path.open("rb") as file:
                begin = file.read(12)
            raise UserError(f"{path}: begins with {begin!r}, as no file of torch.save does") from error
        if "truncated" in str(error):
            raise UserError(f"{path}: truncated, or not a file of torch.save; copy it again") from error
        found = re.search(
            r"(?:GLOBAL|Unsupported (?:global|class)[^\w]*(?:GLOBAL)?|Can't access|find class)\s+([\w.]+)",
            str(error),
        )
        what = f" ({found[1]})" if found else ""
        raise UserError(
            f"{path}: holds Python objects{what}, which are not loaded since loading could run code; "
            "save the state_dict alone: torch.save(network.state_dict(), path)"
        ) from error
    except Exception as error:
        # Damaged files make torch's readers raise nearly anything.
        reason = " ".join(str(error).split())[:120]
        raise UserError(
            f"{path}: truncated, or not a file of torch.save ({reason}); copy it again"
        ) from error


def _unwrapped(content: Any, path: Path) -> State:
    while isinstance(content, Mapping):
        inner = next((content[key] for key in (*NESTED, *AVERAGED) if _holds_weights(content.get(key))), None)
        if inner is None:
            break
        content = inner
    if _is_state(content):
        others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
        if others:
            log.warning("%s: %s: left out, as no tensors", path, _listed("holds", others))
        return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    held = (
        f"keys {', '.join(map(str, list(content)[:SHOWN]))}"
        if isinstance(content, Mapping)
        else type(content).__name__
    )
    raise UserError(
        f"{path}: holds no state dict ({held}); save it with torch.save(network.state_dict(), path)"
    )


def _is_state(content: Any) -> bool:
    """Return whether tensors of weights stand in a dictionary, and none within another one in it."""
    if not isinstance(content, Mapping) or any(map(_holds_weights, content.values())):
        return False
    return any(isinstance(value, Tensor) and value.ndim > 0 for value in content.values())


def _holds_weights(content: Any) -> bool:
    """Return whether tensors of weights stand in a dictionary or in one within it."""
    return isinstance(content, Mapping) and (_is_state(content) or any(map(_holds_weights, content.values())))


def _is_metric(name: str, tensor: Tensor) -> bool:
    """Return whether a tensor that a network lacks is a count or a metric, which its outputs do not need."""
    return not tensor.is_floating_point() or not METRICS.isdisjoint(re.split(r"[._]", name.lower()))


def _renamed(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> State:
    """Take off the prefix that makes most names fit; what only training uses is left out."""
    state = {OLD_DENSENET.sub(r"\1", name): tensor for name, tensor in state.items()}
    first = next((name for name in expected), "")
    ends = [name for name in state if name == first or name.endswith(f".{first}")]
    prefixes = {"", *(name[: len(name) - len(first)] for name in ends), *_common_prefix(state)}
    ranked = sorted(prefixes, key=lambda prefix: ("ema" in prefix.lower(), len(prefix), prefix))
    best = max(ranked, key=lambda prefix: sum(prefix + name in state for name in expected))
    copies = {prefix + name for prefix in prefixes for name in expected} - {best + name for name in expected}
    kept = {name.removeprefix(best): tensor for name, tensor in state.items() if name not in copies}
    kept.pop("n_averaged", None)
    return {
        name: tensor
        for name, tensor in kept.items()
        if name in expected or not name.startswith(TRAINING_ONLY)
    }


def _common_prefix(state: Mapping[str, Tensor]) -> Iterable[str]:
    """Yield the prefixes, in whole parts, that all names share."""
    parts = [name.split(".")[:-1] for name in state]
    prefix = ""
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            return
        prefix += f"{level[0]}."
        yield prefix


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{what} {some(names, SHOWN)}"
