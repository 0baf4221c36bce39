"""A network as a function of pixels, which are grey levels from 0 to 255, as an image file holds them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pipeline.images.preprocess import Preprocessing
from pipeline.layers.running import Outputs, Runner

WHITE = 255

Pictures = NDArray[np.uint8] | NDArray[np.float32]


class PixelNetwork:
    """A network that is asked about pictures, a batch after the other.

    Parameters
    ----------
    network
        In eval mode, on its device.
    preprocessing
        Its mean and deviation are part of the function.
    batch_size
        Pictures in a batch.
    """

    def __init__(self, network: nn.Module, preprocessing: Preprocessing, batch_size: int) -> None:
        self._runner, self._preprocessing, self.batch_size = Runner(network), preprocessing, batch_size
        self._mean = torch.tensor(preprocessing.mean, dtype=torch.float32)[:, None, None]
        self._deviation = torch.tensor(preprocessing.std, dtype=torch.float32)[:, None, None]

    def of(self, network: nn.Module) -> PixelNetwork:
        """Return another network that is asked in the same way."""
        return PixelNetwork(network, self._preprocessing, self.batch_size)

    def logits(self, pictures: Pictures) -> NDArray[np.float32]:
        """Return the logits, (n, K).

        Parameters
        ----------
        pictures
            (n, H, W, C) uint8, or float32 from 0 to 255.
        """
        found = [_logits(self._runner.run(self._inputs(part))) for part in self._parts(pictures)]
        return torch.cat(found).float().cpu().numpy()

    def slope(
        self, pictures: Pictures, output: NDArray[np.integer]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Differentiate each picture's loss, the cross-entropy for an output, with respect to its pixels.

        Parameters
        ----------
        pictures
            As of `logits`.
        output
            (n,) the output that is the right one in the loss.

        Returns
        -------
        slope, logits
            (n, H, W, C), loss a share of full scale, and (n, K); float32.
        """
        slopes, logits, size = [], [], self.batch_size
        for start, part in zip(range(0, len(pictures), size), self._parts(pictures), strict=True):
            wanted = torch.from_numpy(np.asarray(output[start : start + len(part)], np.int64))

            def loss(outputs: Outputs, wanted: Tensor = wanted) -> Tensor:
                found = _logits(outputs)
                return functional.cross_entropy(found, wanted.to(found.device), reduction="none")

            found = self._runner.gradient(self._inputs(part), loss)
            slopes.append((found.value.float().cpu() / self._deviation).permute(0, 2, 3, 1))
            logits.append(_logits(found.outputs).float().cpu())
        return torch.cat(slopes).contiguous().numpy(), torch.cat(logits).numpy()

    def _parts(self, pictures: Pictures) -> list[Pictures]:
        size = self.batch_size
        return [pictures[start : start + size] for start in range(0, len(pictures), size)]

    def _inputs(self, pictures: Pictures) -> Tensor:
        # The operations and their order are those of the network's inputs everywhere else, bit for bit.
        shares = torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2) / WHITE
        return (shares - self._mean) / self._deviation


def answers(logits: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the predicted output of each picture, (n,), and its softmax probability, (n,)."""
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return logits.argmax(1).astype(np.int32), (1 / np.exp(shifted).sum(1)).astype(np.float32)


def rounded(pictures: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return pictures as a file holds them."""
    return np.clip(np.rint(pictures), 0, WHITE).astype(np.uint8)


def _logits(outputs: Outputs) -> Tensor:
    assert outputs.logits is not None, "the network ran to its end"
    return outputs.logits
