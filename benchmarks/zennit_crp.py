"""zennit-crp's FeatureVisualization (Achtibat et al. 2023) on the network, images and layers of `extraction`.

It is run as its tutorial on feature visualization does: ``FeatureVisualization(attribution, dataset,
layer_map, preprocess_fn, …).run(composite, start, end, batch_size)`` in one process, images decoded by its
own threads. For each layer it keeps the 40 best images of each unit, over all images and again for each
class, by activation and by relevance: every batch is forwarded and propagated back by the rules of a
composite, and there is no option that leaves the second out. Asked for ``max_target="max"`` and no norm, its
activation part ranks by what this project ranks by. Its nearest thing to an extraction is therefore
`activations`, where its attribution object is told to run the forward pass alone; `whole` is the documented
way. It keeps no code, no logits, no image's maxima and no statistics, but ranks, which extraction leaves to
a later stage.

The packages are the optional extra ``bench``; they are not pinned, and the project does not need them.
"""

import contextlib
import importlib.util
import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torchvision
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

WAYS = ("activations", "whole")


def is_installed() -> bool:
    """Return whether the extra ``bench`` is there."""
    return all(importlib.util.find_spec(name) for name in ("crp", "zennit"))


def rate(folder: Path, state: Path, layers: Sequence[str], batch_size: int, way: str, work: Path) -> float:
    """Return images a second of one way, its last collecting of results included, a first batch left out.

    Parameters
    ----------
    folder
        Class folders of images.
    state
        AlexNet's state dict.
    layers
        Names of modules.
    batch_size
        Images in a batch.
    way
        "activations" or "whole".
    work
        Where it writes its results.

    Raises
    ------
    ValueError
        If a layer is no module; zennit would pass over it in silence.
    """
    network = torchvision.models.alexnet()
    unknown = set(layers) - set(dict(network.named_modules()))
    if unknown:
        raise ValueError(f"no modules of AlexNet: {', '.join(sorted(unknown))}")
    network.load_state_dict(torch.load(state, weights_only=True))
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    dataset = ImageFolder(str(folder), v2.Compose([
        v2.Resize(256), v2.CenterCrop(224), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True),
    ]))  # fmt: skip
    visualization = _visualization(network.eval(), dataset, layers, way, work)
    # A batch of one image makes it fail.
    stop = len(dataset) - (len(dataset) % batch_size == 1)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        visualization.run(_composite(way), 0, batch_size, batch_size)
        started = time.perf_counter()
        visualization.run(_composite(way), batch_size, stop, batch_size)
        seconds = time.perf_counter() - started
    return (stop - batch_size) / seconds


def _visualization(
    network: torch.nn.Module, dataset: ImageFolder, layers: Sequence[str], way: str, work: Path
) -> Any:
    from crp.attribution import CondAttribution
    from crp.concepts import ChannelConcept
    from crp.visualization import FeatureVisualization

    class ForwardAlone(CondAttribution):
        """An attribution that attributes nothing: the hooks see every activation and no relevance."""

        def __call__(self, data: torch.Tensor, *_: object, **__: object) -> None:
            with torch.no_grad():
                self.model(data)

    attribution = CondAttribution(network) if way == "whole" else ForwardAlone(network)
    normalise = v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return FeatureVisualization(
        attribution, dataset, {layer: ChannelConcept() for layer in layers}, normalise,
        max_target="max", abs_norm=False, path=str(work / f"crp-{way}"),
    )  # fmt: skip


def _composite(way: str) -> Any:
    """Return the rules of the tutorial; none where nothing is propagated back."""
    from zennit.composites import EpsilonPlusFlat

    return EpsilonPlusFlat() if way == "whole" else None
