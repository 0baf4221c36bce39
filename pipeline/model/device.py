"""Where a network computes: the device, the type of its numbers, and what decides their last bits."""

import os

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.errors import UserError

DEVICE_VARIABLE = "CONVATLAS_DEVICE"
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device() -> str:
    """Return the device that ``CONVATLAS_DEVICE`` names ("cpu", "cuda"); by default a GPU if there is one.

    Raises
    ------
    UserError
        If it names another, or a GPU where there is none.
    """
    wanted = os.environ.get(DEVICE_VARIABLE) or "auto"
    if wanted not in ("auto", "cpu", "cuda"):
        raise UserError(f"{DEVICE_VARIABLE}: must be cpu, cuda or auto, got '{wanted}'")
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UserError(f"{DEVICE_VARIABLE}=cuda: there is no GPU that torch can use here; set it to cpu")
    return wanted if wanted != "auto" else ("cuda" if available else "cpu")


def gpu_number(worker: object, count: int) -> int:
    """Return which of the visible GPUs a worker uses: local workers are numbered, and share them out."""
    return int(str(worker)) % count if str(worker).isdecimal() else 0


def arithmetic(device: str) -> str:
    """Return what of this machine decides the bits of a result: its instruction set or its GPU."""
    if device == "cuda":
        return f"cuda {torch.cuda.get_device_name()} {torch.version.cuda}"
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"


def place_network(network: nn.Module, device: str, precision: str = "float32") -> nn.Module:
    """Move a network to a device, in place, for computing in a precision.

    Parameters
    ----------
    network
        In eval mode.
    device
        "cpu" or "cuda".
    precision
        "float32", "bfloat16" or "float16".

    Returns
    -------
    Module
        The same, its weights in channels_last memory: the layout that convolutions on CPUs are fastest in
        (1.4x for AlexNet in float32), and those on GPUs in half precision (1.4x for ResNet-50).
    """
    if device == "cuda":
        _compute_exactly()
    return network.to(torch.device(device), PRECISIONS[precision]).to(memory_format=torch.channels_last)


def _compute_exactly() -> None:
    """Let float32 be that on GPUs, and equal passes equal: torch rounds to TF32's 10 bits in convolutions."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


def device_and_dtype(network: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Return the device and the type of a network's numbers; the CPU and float32 if it has none."""
    tensors = (*network.parameters(), *network.buffers())
    first = next((tensor for tensor in tensors if tensor.is_floating_point()), torch.empty(0))
    return first.device, first.dtype


def is_on_gpu(network: nn.Module) -> bool:
    """Tell whether a network computes on a GPU."""
    return device_and_dtype(network)[0].type != "cpu"


def place_inputs(inputs: np.ndarray | Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Move a batch of inputs to where a network is.

    Parameters
    ----------
    inputs
        (n, C, h, w) float32, normalised.
    device, dtype
        Those of the network.

    Returns
    -------
    (n, C, h, w)
        In channels_last memory.
    """
    # Not by way of pinned memory: to pin a batch takes twice as long as to copy it.
    return torch.as_tensor(inputs).to(device).to(dtype).contiguous(memory_format=torch.channels_last)
