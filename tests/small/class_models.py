"""Three class models, the second of which did not move."""

import numpy as np

from pipeline.formats.class_models import ClassModels

ENERGY = np.array([[0, 4, 9, 10, 10, 10], [1] * 6, [-2, 0, 1, 1, 1, 2]], np.float32)
FOUND = ClassModels(
    output=np.array([1, 0, 2], np.int32), weight=np.array([0.1, 1, 0.3], np.float32), score=ENERGY * 2,
    energy=ENERGY, picture=np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8),
    clipped=np.array([0.1, 0, 0.2], np.float32), probability=np.array([0.99, 0.3, 0.4], np.float32),
    predicted=np.array([1, 2, 0], np.int32), chosen_weight=True,
)  # fmt: skip
