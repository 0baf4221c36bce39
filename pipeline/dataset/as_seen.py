"""Some images of a dataset as the network sees them, those left out that cannot be read any more."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.originals import none_readable, originals
from pipeline.formats.manifest import ManifestFile
from pipeline.images.decoding import ImageError
from pipeline.images.network_input import prepare
from pipeline.images.preprocess import Preprocessing

log = logging.getLogger(__name__)


def read_as_seen(
    manifest: ManifestFile, image_id: NDArray[np.int64], preprocessing: Preprocessing, *, stage: str
) -> tuple[list[int], NDArray[np.uint8]]:
    """Read images, and tell of those that cannot be read.

    Parameters
    ----------
    manifest
        Of the dataset.
    image_id
        (n,) in any order.
    preprocessing
        How images become inputs.
    stage
        Who asks, for the message.

    Returns
    -------
    kept : list of int
        Places in `image_id` of the images that were read, ascending.
    pictures : (k, H, W, C) uint8
        Resized and cropped.

    Raises
    ------
    UserError
        None can be read.
    """
    images, kept, pictures = originals(manifest, image_id), [], []
    for place, one in enumerate(image_id.tolist()):
        try:
            pictures.append(prepare(images.read(one), preprocessing))
            kept.append(place)
        except ImageError as error:
            log.warning("image %d cannot be read any more: %s", one, error)
    if not kept:
        raise none_readable(stage, len(image_id))
    return kept, np.stack(pictures)
