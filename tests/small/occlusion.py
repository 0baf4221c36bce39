"""What covering squares of the three small probes does, known by hand."""

import numpy as np

from pipeline.formats.occlusion import About, Covered, Occlusion, Whole

# Pictures of 8 pixels, squares of 2 and of 4; the second probe has no activation.
WHOLE = Whole(
    image_id=np.array([7, 2, 5]), output=np.array([1, 0, 0], np.int32),
    by_label=np.array([True, True, False]),
    unit=np.array([3, 0, 1]), probability=np.array([0.9, 0.5, 0.25], np.float32),
    score=np.array([2, 1, -1], np.float32), predicted=np.array([1, 2, 0], np.int32),
    activation=np.array([4, 0, 2], np.float32),
)  # fmt: skip


def covered(window, stride, starts):
    """Everything as with nothing covered, but at the first place the first probe is lost."""
    starts = np.array(starts)
    shape = (3, len(starts), len(starts))
    probability, score, predicted, activation = (
        np.broadcast_to(values[:, None, None], shape).copy()
        for values in (WHOLE.probability, WHOLE.score, WHOLE.predicted, WHOLE.activation)
    )
    probability[0, 0, 0], predicted[0, 0, 0], activation[0, 0, 0] = 0.1, 2, 1
    return Covered(window, stride, starts, starts, probability, score, predicted, activation)


FOUND = Occlusion(
    About("features.3", "zero", (127.5, 127.5, 127.5), (8, 8)),
    WHOLE,
    (covered(2, 2, [0, 2, 4, 6]), covered(4, 2, [0, 2, 4])),
)
