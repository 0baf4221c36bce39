import numpy as np
import torch

from pipeline.analyses.inversion.energy import Penalty, squared_error

# 0 1 3
# 2 2 7
IMAGE = torch.tensor([[[[0.0, 1.0, 3.0], [2.0, 2.0, 7.0]]]])


def test_the_penalty_is_that_computed_by_hand():
    spread = 68.92**2 * 6
    down, right = 2**2 + 1**2 + 4**2, 1**2 + 2**2 + 0**2 + 5**2
    np.testing.assert_allclose(Penalty(10, 0)(IMAGE), [10 / 2 * (down + right) / spread], rtol=1e-5)
    sixth = 1 + 3**6 + 2 * 2**6 + 7**6
    np.testing.assert_allclose(Penalty(0, 0.5)(IMAGE), [0.5 / 2 * sixth / spread], rtol=1e-5)


def test_its_gradient_is_autograd_s():
    torch.manual_seed(0)
    images = (torch.randn(2, 3, 5, 4, dtype=torch.float64) * 70).requires_grad_()
    penalty = Penalty(10, 8e-10)
    (expected,) = torch.autograd.grad(penalty(images).sum(), images)
    torch.testing.assert_close(penalty.gradient(images.detach()), expected)


def test_the_error_is_relative_to_the_code_of_each_image():
    wanted = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]])
    found = squared_error(torch.tensor([[[3.0, 9.0]], [[0.0, 2.0]]]), wanted)
    np.testing.assert_allclose(found, [25 / 25, 4])
