"""Maps of the three small probes, made up: each method's is largest at a pixel of its own."""

from dataclasses import replace

import numpy as np

from pipeline.formats.gradients import About, Attributed, new_gradients

ABOUT = About(
    methods=("saliency", "deconvnet", "integrated_gradients", "grad_cam"),
    refused={"guided_backprop": "1: silu is no rectifier"}, fixed=("deconvnet",),
    layer="features.3", map_size=(2, 2), is_spread=False, input_size=(8, 8),
    steps=4, samples=2, noise=0.15, seed=0, positive=True,
)  # fmt: skip
FOUND = Attributed(
    image_id=np.array([7, 2, 5]), output=np.array([1, 0, 0], np.int32),
    by_label=np.array([True, True, False]), score=np.array([3.0, -2.0, 1.0]),
    baseline=np.array([1.0, 2.0, 1.0]), completeness_error=np.array([0.1, -0.2, 0.3]),
)  # fmt: skip
_RANDOM = np.random.default_rng(0)
VALUES = {
    method: _RANDOM.standard_normal((3, 8, 8, 3)).astype(np.float32)
    for method in ("saliency", "deconvnet", "integrated_gradients")
}
VALUES["grad_cam"] = np.abs(_RANDOM.standard_normal((3, 8, 8, 1))).astype(np.float32)
for _number, _values in enumerate(VALUES.values()):
    _values[:, _number, 2 * _number, 0] = 9
CAMS = np.abs(_RANDOM.standard_normal((3, 2, 2))).astype(np.float32)


def write(path, by_label=FOUND.by_label):
    """Write gradients.h5, and return where it is."""
    with new_gradients(path, made_from={}) as writer:
        for method, values in VALUES.items():
            sums = writer.put_maps(method, 3, iter([values[:2], values[2:]]))
            np.testing.assert_allclose(sums, values.sum((1, 2, 3), dtype=np.float64), rtol=1e-6)
        writer.put_cams(CAMS)
        writer.put_probes(replace(FOUND, by_label=by_label))
        writer.put_about(ABOUT)
    return path
