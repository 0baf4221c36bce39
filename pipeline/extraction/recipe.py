"""What decides a shard's bytes besides its images: the `Recipe`, and the core of the source that follows it.

Whatever of it changes gives every shard another key, and all images go through the network again. So the core
is small, and its hash does not feel comments, docstrings and formatting (`pipeline.parallel.source`).
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.layers.layers import Layer
from pipeline.model.device import arithmetic
from pipeline.parallel.source import core_digest

# In the order in which an image meets them. A test compares them with all that `extraction.shard` imports,
# and says of each other module why it decides nothing.
CORE = (
    "images.image_file",
    "images.decoding",
    "images.preprocess",
    "images.network_input",
    "layers.batches",
    "model.architectures",
    "model.building",
    "model.device",
    "model.outputs",
    "receptive_field.tracing",
    "receptive_field.following",
    "receptive_field.recording",
    "receptive_field.hooks",
    "layers.watch",
    "layers.observer",
    "extraction.reduction",
    "extraction.shard",
    "formats.shards",
    "store.chunks",
    "store.writing",
)
DISTRIBUTIONS = ("torch", "torchvision", "pillow", "numpy", "h5py", "deflate")


@dataclass(frozen=True)
class Recipe:
    """All that decides a shard's bytes besides its images.

    Attributes
    ----------
    weights
        The folder that `pipeline.model.load_network` reads, absolute. Where it lies decides nothing.
    weights_digest
        The digest in its description: of the network's source, tensors, preprocessing and classes.
    layers
        The layers whose units' maxima are kept. Their geometry decides nothing.
    code_layer
        The layer whose output is the code.
    batch_size
        Images in a batch.
    precision
        "float32", "bfloat16" or "float16": what the network computes in.
    statistics, means
        Whether per-unit statistics, and each image's mean activations, are kept.
    device
        "cpu" or "cuda".
    """

    weights: Path
    weights_digest: str
    layers: tuple[Layer, ...]
    code_layer: str
    batch_size: int
    precision: str
    statistics: bool
    means: bool
    device: str

    @property
    def core(self) -> tuple[str, ...]:
        """The modules that decide the bytes."""
        return CORE

    def digest(self) -> str:
        """Return a hash of the recipe, of the core that follows it, and of the machine's arithmetic."""
        parts = (
            self.weights_digest, [(layer.name, layer.before, layer.by_input) for layer in self.layers],
            self.code_layer, self.batch_size, self.precision, self.statistics, self.means,
            arithmetic(self.device), [(name, version(name)) for name in DISTRIBUTIONS],
            core_digest(self.core),
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()
