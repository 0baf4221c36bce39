import numpy as np

from pipeline.analyses.attribution.importance import importance


def test_importance_keeps_the_sign_of_what_has_one():
    values = np.array([[[[3.0]], [[-5.0]]]], np.float32)
    assert importance("integrated_gradients", values) == -2
    assert importance("grad_cam", values[:, :1]) == 3
    for name in ("saliency", "smoothgrad", "deconvnet", "guided_backprop"):
        assert importance(name, values) == 5
