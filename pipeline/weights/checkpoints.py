"""Weights from a user's checkpoint file.

Files are read without running anything that they hold: safetensors, or `torch.load` with `weights_only=True`.
"""

import argparse
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

from pipeline.errors import UserError

State = dict[str, Tensor]
SUFFIXES = (".safetensors", ".pt", ".pth", ".th")
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
LFS_POINTER = b"version https://git-lfs."
SHOWN = 5


def read_checkpoint(path: Path) -> State:
    """Read the state dict of a checkpoint file.

    Parameters
    ----------
    path
        .safetensors, or .pt, .pth, .th as `torch.save` writes them: the state dict itself or a dictionary
        that holds it under one of the usual keys.

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
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise UserError(f"{path}: is a pointer of Git LFS in place of the file; run `git lfs pull`")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    state = _unwrapped(content, path)
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
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
        with torch.serialization.safe_globals(HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
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
    for _ in range(3):
        if not isinstance(content, Mapping):
            break
        if content and all(isinstance(value, Tensor) for value in content.values()):
            return {str(name): value for name, value in content.items()}
        inner = next(
            (content[key] for key in (*NESTED, *AVERAGED) if isinstance(content.get(key), Mapping)), None
        )
        if inner is None:
            break
        content = inner
    held = (
        f"keys {', '.join(map(str, list(content)[:SHOWN]))}"
        if isinstance(content, Mapping)
        else type(content).__name__
    )
    raise UserError(
        f"{path}: holds no state dict ({held}); save it with torch.save(network.state_dict(), path)"
    )


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
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{what} {', '.join(names[:SHOWN])}{more}"
