"""What a reconstruction is to minimise: the distance of its code, and how unlike an image it looks.

After Mahendran and Vedaldi, *Understanding deep image representations by inverting them*, CVPR 2015, with
the numbers of their program. Images are pixels of 0 to 255 less the mean, and are never clipped.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# Root mean square of a value of a natural image less the mean.
SPREAD = 68.92


@dataclass(frozen=True)
class Penalty:
    """Weights of what speaks against an image, before it is divided by σ².

    Attributes
    ----------
    total_variation
        Of half the sum of the squared differences between neighbouring pixels (their β is 2).
    sixth_norm
        Of half the sum of the sixth powers of all values.
    """

    total_variation: float
    sixth_norm: float

    def __call__(self, images: Tensor) -> Tensor:
        """Return the penalty of each of n images, (n, C, h, w): (n,)."""
        down, right = _differences(images)
        variation = down.square().sum((1, 2, 3)) + right.square().sum((1, 2, 3))
        power = images.pow(6).sum((1, 2, 3))
        weighed = self.total_variation * variation + self.sixth_norm * power
        return weighed / (2 * square_of_spread(images))

    def gradient(self, images: Tensor) -> Tensor:
        """Return the derivative of the penalty, (n, C, h, w)."""
        down, right = _differences(images)
        slope = torch.zeros_like(images)
        slope[:, :, 1:] += down
        slope[:, :, :-1] -= down
        slope[..., 1:] += right
        slope[..., :-1] -= right
        weighed = self.total_variation * slope + 3 * self.sixth_norm * images.pow(5)
        return weighed / square_of_spread(images)


def square_of_spread(images: Tensor) -> float:
    """Return σ²: what the squares of all values of an image come to."""
    return SPREAD**2 * images[0].numel()


def squared_error(codes: Tensor, wanted: Tensor) -> Tensor:
    """Return ‖Φ(x) - Φ₀‖² / ‖Φ₀‖² of each of n codes: (n,); what Φ₀ of zeros is divided by is 1."""
    size = wanted.flatten(1).square().sum(1)
    return (codes - wanted).flatten(1).square().sum(1) / torch.where(size > 0, size, 1)


def _differences(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences to the next row and to the next column; the last of each has none."""
    return images[:, :, 1:] - images[:, :, :-1], images[..., 1:] - images[..., :-1]
