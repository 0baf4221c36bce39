"""The weights that torchvision publishes: what is known of them at once, and their download."""

import pickle
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError

import torchvision
from torch import Tensor

from pipeline.errors import UserError, nearest
from pipeline.images.preprocess import Preprocessing
from pipeline.weights.checkpoints import SUFFIXES

TRAIN = "train"
# These scale ImageNet's mean and deviation back to 0.5 inside the network when torchvision builds them with
# weights; here the network is built without, and the images are scaled so at once.
SCALED_INSIDE = ("googlenet", "inception_v3")


@dataclass(frozen=True)
class Published:
    """Weights that torchvision publishes.

    Attributes
    ----------
    architecture
        A network of torchvision, without prefix (`alexnet`).
    weights
        The member of its enumeration of weights.
    """

    architecture: str
    weights: Any

    @property
    def name(self) -> str:
        """In full, `AlexNet_Weights.IMAGENET1K_V1`."""
        return str(self.weights)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the outputs."""
        return tuple(str(item) for item in self.weights.meta["categories"])

    @property
    def preprocessing(self) -> Preprocessing:
        """What the weights were evaluated with."""
        preset = self.weights.transforms()
        crop, resize = list(preset.crop_size), list(preset.resize_size)
        scaled = self.architecture in SCALED_INSIDE
        mean, std = ([0.5] * 3, [0.5] * 3) if scaled else (preset.mean, preset.std)
        return Preprocessing(
            input_size=(crop[0], crop[-1]), resize=resize[0] if len(resize) == 1 else (resize[0], resize[1]),
            crop="center", interpolation=preset.interpolation.value, mean=tuple(mean), std=tuple(std),
        )  # fmt: skip

    def download(self) -> dict[str, Tensor]:
        """Return the state dict, downloaded by torchvision's own means, which check the file's hash.

        Raises
        ------
        UserError
            It cannot be downloaded, or the file is not what it should be.
        """
        url = self.weights.url
        try:
            network = torchvision.models.get_model(self.architecture, weights=self.weights, progress=False)
        except URLError as error:
            raise UserError(
                f"{self.name}: {url} cannot be downloaded ({error.reason}); fetch it elsewhere, "
                "put it into inputs/network/ and name it as model.weights"
            ) from error
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"{self.name}: {url}: {reason}; remove it from torch's cache and try again"
            ) from error
        return network.state_dict()


def find_published(architecture: str, name: str) -> Published:
    """Find weights by their name; nothing is downloaded.

    Parameters
    ----------
    architecture
        A network of torchvision, without prefix (`alexnet`).
    name
        "DEFAULT", "IMAGENET1K_V1" or in full "AlexNet_Weights.IMAGENET1K_V1".

    Raises
    ------
    UserError
        There are no such weights, or none for a classifier.
    """
    try:
        found = torchvision.models.get_model_weights(architecture)
    except ValueError:
        raise UserError(f"model.architecture: torchvision has no network '{architecture}'") from None
    # One of VGG16's is of its features alone.
    choices = {key: item for key, item in found.__members__.items() if item.meta["categories"]}
    short = name.removeprefix(f"{found.__name__}.")
    if short not in choices:
        meant = nearest(short, [*choices, TRAIN])
        hint = f"did you mean '{meant}'? " if meant else ""
        raise UserError(
            f"model.weights: {architecture} has no weights '{name}'; {hint}there are "
            f"{', '.join(choices)}, '{TRAIN}', or a file ({', '.join(SUFFIXES)})"
        )
    return Published(architecture, choices[short])
