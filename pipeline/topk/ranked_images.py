"""The images that were ranked, as the network was given them: where a rank looked, and which ranks repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import Pair, ReceptiveField
from pipeline.topk.boxes import image_boxes, input_boxes
from pipeline.topk.duplicates import duplicates

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class RankedImages:
    """What the network was given of each image.

    Attributes
    ----------
    image_id : (N,) int64
        The images that were ranked, ascending.
    digest : (N, 16) uint8
        Of the network's input.
    width, height : (M,) int32
        Of all images of the manifest.
    preprocessing
        How they became inputs.
    """

    image_id: Ids
    digest: NDArray[np.uint8]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    preprocessing: Preprocessing

    @property
    def input_size(self) -> Pair:
        """Height and width of the input, pixels."""
        return self.preprocessing.input_size

    def boxes(
        self, image_id: Ids, position: NDArray[np.uint16], field: ReceptiveField
    ) -> NDArray[np.float32]:
        """Return where ranks looked.

        Parameters
        ----------
        image_id : (U, R) int64
            The image of each rank.
        position : (U, R, 2) uint16
            y and x in the layer's map.
        field
            Of the layer.

        Returns
        -------
        (U, R, 4) float32
            x0, y0, x1, y1 in pixels of the original images, unclipped.
        """
        boxes = input_boxes(position, field, self.input_size)
        return image_boxes(boxes, self.width[image_id], self.height[image_id], self.preprocessing)

    def repeats(self, image_id: Ids) -> NDArray[np.bool_]:
        """Mark the ranks (U, R) whose input the network was given at an earlier rank."""
        return duplicates(image_id, self.image_id, self.digest)
