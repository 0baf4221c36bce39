import numpy as np
import pytest
import torch
from captum.concept import TCAV, Classifier, Concept
from torch import nn
from torch.utils.data import DataLoader

from pipeline.analyses.directions.concepts import (
    concept_scores,
    layer_concepts,
    learn_direction,
    outputs_of,
    random_sets_of,
)  # fmt: skip

RNG = np.random.default_rng(0)
AXIS = np.array([0.6, 0, -0.8, 0, 0])


def noise(count):
    return RNG.standard_normal((count, 5)).astype(np.float32)


def test_the_direction_that_tells_the_examples_apart_is_learnt():
    found = learn_direction((noise(300) + 6 * AXIS).astype(np.float32), noise(300), seed=0)
    assert found.direction @ AXIS > 0.95
    assert np.linalg.norm(found.direction) == pytest.approx(1)
    assert found.accuracy > 0.97
    # What cannot be told apart is held out, and told at chance.
    assert 0.35 < np.mean([learn_direction(noise(60), noise(60), seed).accuracy for seed in range(9)]) < 0.65


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_nothing_depends_on_the_scale_or_the_middle_of_the_activations(factor):
    examples, others = (noise(60) + 6 * AXIS).astype(np.float32), noise(60)
    plain = learn_direction(examples, others, seed=0)
    moved = learn_direction(factor * (examples + 3), factor * (others + 3), seed=0)
    np.testing.assert_allclose(moved.direction, plain.direction, atol=1e-3)
    assert moved.accuracy == plain.accuracy


def test_few_examples_count_as_much_as_many_random_images():
    found = learn_direction((noise(9) + 6 * AXIS).astype(np.float32), noise(300), seed=0)
    assert found.direction @ AXIS > 0.8


def test_equal_images_give_a_direction_all_the_same():
    same = np.ones((8, 5), np.float32)
    assert np.isfinite(learn_direction(same, same, seed=0).direction).all()


class Fixed(Classifier):
    """Hands captum the normals that were learnt here."""

    def __init__(self, normal):
        self.normal = torch.from_numpy(normal)

    def train_and_eval(self, dataloader, test_split_ratio=0.33, **kwargs):
        return {}

    def weights(self):
        return torch.stack([self.normal, -self.normal])

    def classes(self):
        return [0, 1]


def test_scores_are_those_of_captum(tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2)).eval()
    images = torch.randn(60, 3)
    inside = network[:2](images).detach().requires_grad_()
    (slope,) = torch.autograd.grad(network[2:](inside)[:, 1].sum(), inside)
    # Of the first two images one rises along it, one falls.
    normal = (slope[0] / slope[0].norm() - slope[1] / slope[1].norm()).numpy()
    concepts = [Concept(number, name, DataLoader(torch.randn(8, 3))) for number, name in enumerate("ab")]
    tcav = TCAV(network, ["1"], classifier=Fixed(normal), save_path=str(tmp_path))
    expected = tcav.interpret(images, [concepts], target=1)["0-1"]["1"]["sign_count"].numpy()
    found = concept_scores(slope.numpy(), np.stack([normal, -normal]))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert 0 < found[0] < 1


def test_a_concept_that_an_output_rises_with_is_told_from_random_ones():
    axis = np.zeros(60)
    axis[:2] = 0.6, -0.8

    def wide(count):
        return RNG.standard_normal((count, 60)).astype(np.float32)

    examples = [(wide(60) + 6 * axis).astype(np.float32), *(wide(60) for _ in range(40))]
    sets = [wide(60) for _ in range(12)]
    # One output rises along the axis, one along another.
    slopes = [(wide(40) / 20 + axis).astype(np.float32), (wide(40) / 20 + axis[::-1]).astype(np.float32)]
    found = layer_concepts(examples, sets, slopes, seed=0)
    assert found.score.shape == (41, 12, 2)
    np.testing.assert_array_equal(found.score[0, :, 0], 1)
    assert found.slope_p_value[0, 0] < 1e-4 < found.slope_p_value[0, 1]
    assert found.slope[0, 0] == pytest.approx(1, abs=0.15)
    assert found.accuracy[0].mean() > 0.85 > 0.65 > found.random_accuracy.mean()
    assert found.direction[0] @ axis > 0.9
    # Sets of random images are no concepts: few differ by chance.
    assert (found.slope_p_value[1:] < 0.05).mean() < 0.1


def test_scores_that_never_vary_have_no_p_value():
    sets = [noise(12) for _ in range(3)]
    slopes = [np.zeros((4, 5), np.float32)]
    found = layer_concepts([noise(12)], sets, slopes, seed=0)
    assert np.isnan(found.p_value).all() and np.isnan(found.slope_p_value).all()


def test_random_sets_are_disjoint_where_there_are_enough_images():
    images = np.arange(100, 160)
    sets = random_sets_of(images, 3, 20, 0)
    assert sorted(np.concatenate(sets).tolist()) == images.tolist()
    few = random_sets_of(images[:10], 3, 20, 0)
    assert [one.tolist() for one in few] == [images[:10].tolist()] * 3


def test_the_outputs_of_most_images_are_asked_about_with_some_of_theirs():
    output = np.array([2, 2, 2, 0, 0, 1, -1, -1, -1, -1])
    found = outputs_of(output, 2, 2, 0)
    assert list(found) == [0, 2]
    assert set(found[0].tolist()) == {3, 4}
    assert len(found[2]) == 2 and set(found[2].tolist()) <= {0, 1, 2}
    assert list(outputs_of(output, [1, 3], 2, 0)) == [1]
