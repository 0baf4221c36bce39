import math

import numpy as np
import pytest
from scipy.stats import kstest

from pipeline.analyses.fooling.encodings import INDEX, RATE, Cppn, Direct, coordinates, polynomial

SHAPE = (5, 7, 3)


def draw(seed=0):
    return np.random.default_rng(seed)


def test_steps_have_the_density_of_polynomial_mutation():
    """(n + 1) (1 - |d|)^n / 2 for d from -1 to 1."""
    steps = polynomial(draw().random(20_000))

    def below(step):
        tail = (1 - np.abs(step)) ** (INDEX + 1) / 2
        return np.where(step < 0, tail, 1 - tail)

    assert kstest(steps, below).pvalue > 0.01
    assert polynomial(np.array([0.0, 0.5, 1 - 1e-17])).tolist() == [-1, 0, 1]


def test_a_tenth_of_the_genes_is_moved_and_half_as_many_after_a_thousand_generations():
    encoding = Direct((40, 40, 3))
    parents = np.full((20, 40, 40, 3), 128, np.uint8)
    for generation, rate in ((1, RATE), (999, RATE), (1000, RATE / 2), (2500, RATE / 4)):
        children = encoding.mutated(parents, generation, draw())
        # A step below half a level is none: 6 % of them.
        moved = (children != parents).mean()
        assert 0.9 * rate < moved < rate
    assert (parents == 128).all()


def test_what_is_drawn_is_what_loops_over_places_give():
    encoding = Cppn(SHAPE)
    genomes = encoding.mutated(encoding.first(4, draw()), 1, draw(1))
    pictures = encoding.pictures(genomes)
    functions = (math.sin, lambda value: math.exp(-value * value), math.tanh, lambda value: value)
    for row in (0, 3):
        first, second, last = (
            weights[row] * used[row] for weights, used in zip(genomes.weights, genomes.used, strict=True)
        )
        for y in range(5):
            for x in range(7):
                down, across = (2 * y + 1 - 5) / 7, (2 * x + 1 - 7) / 7
                values = [down, across, math.hypot(down, across), 1.0]
                for layer, weights in enumerate((first, second)):
                    sums = [sum(v * w for v, w in zip(values, column, strict=True)) for column in weights.T]
                    chosen = genomes.function[row, layer]
                    values = [functions[one](total) for one, total in zip(chosen, sums, strict=True)] + [1.0]
                shares = [
                    (1 + math.tanh(sum(v * w for v, w in zip(values, column, strict=True)))) / 2
                    for column in last.T
                ]
                np.testing.assert_allclose(pictures[row, y, x], 255 * np.array(shares), atol=0.501)


def test_places_lie_around_the_middle():
    places = coordinates(2, 4)
    assert places.shape == (8, 4)
    np.testing.assert_allclose(places[:, 0].reshape(2, 4)[:, 0], [-0.25, 0.25])
    np.testing.assert_allclose(places[:4, 1], [-0.75, -0.25, 0.25, 0.75])
    assert (places[:, 3] == 1).all()


@pytest.mark.parametrize("encoding", [Direct(SHAPE), Cppn(SHAPE)])
def test_what_is_taken_is_a_copy_and_what_is_put_stands_in_its_place(encoding):
    genomes = encoding.first(4, draw())
    before = encoding.pictures(genomes).copy()
    assert before.shape == (4, *SHAPE) and before.dtype == np.uint8
    taken = encoding.taken(genomes, [2, 2, 0])
    np.testing.assert_array_equal(encoding.pictures(taken), before[[2, 2, 0]])
    other = encoding.first(3, draw(5))
    encoding.put(taken, [1], other, [2])
    np.testing.assert_array_equal(encoding.pictures(taken)[1], encoding.pictures(other)[2])
    np.testing.assert_array_equal(encoding.pictures(genomes), before)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_images_have_one_channel(channels):
    encoding = Cppn((4, 4, channels))
    assert encoding.pictures(encoding.first(2, draw())).shape == (2, 4, 4, channels)
