import numpy as np

from pipeline.analyses.fooling.ascent import Ascent, probability_of
from pipeline.analyses.fooling.attacks import Attacked
from pipeline.analyses.fooling.making import Generations, change_probes, evolve_images, make_images
from pipeline.analyses.fooling.minimal import Search
from pipeline.analyses.fooling.pixels import PixelNetwork, answers
from tests.small.pixel_networks import PREPROCESSING, SIDE, convolutional, pictures


class Counter:
    count = 0

    def advance(self, count=1):
        self.count += count


ASKED = PixelNetwork(convolutional(), PREPROCESSING, 4)


def test_every_output_that_is_drawn_begins_as_noise_and_as_grey():
    made = make_images(ASKED, (SIDE, SIDE, 3), 3, Ascent(0.9, 100, 4.0), 0)
    assert made.flat.tolist() == [0, 0, 0, 1, 1, 1]
    assert made.target[:3].tolist() == made.target[3:].tolist() == sorted(set(made.target.tolist()))
    logits = ASKED.logits(made.picture)
    np.testing.assert_array_equal(made.predicted, answers(logits)[0])
    np.testing.assert_allclose(made.confidence, probability_of(logits, made.target), rtol=1e-6)
    assert len(make_images(ASKED, (SIDE, SIDE, 3), 99, Ascent(0.9, 1, 1.0), 0).target) == 8


def test_probes_are_changed_towards_another_output():
    given, bar = pictures(3), Counter()
    predicted = answers(ASKED.logits(given))[0]
    found = change_probes(ASKED, Attacked(np.arange(3), given, predicted), Search(6, 20), 0, bar)
    assert (found.target != predicted).all() and bar.count == 3
    there = np.isfinite(found.stretch)
    np.testing.assert_array_equal(found.predicted[there], found.target[there])
    assert (found.reached == np.isfinite(found.penalty)).all() and found.reached.any()
    nothing = Attacked(np.arange(0), given[:0], predicted[:0])
    assert change_probes(ASKED, nothing, Search(6, 20), 0, bar) is None


def test_images_are_evolved_for_outputs_that_are_drawn_in_both_encodings():
    how = Generations(3, 5, 2)
    found = evolve_images(ASKED, (SIDE, SIDE, 3), how, 0)
    assert tuple(found) == ("direct", "cppn") and how.passes == 2 * 4 * 5
    first, second = (one.target.tolist() for one in found.values())
    assert first == second == sorted(set(first)) and len(first) == 2
    assert evolve_images(ASKED, (SIDE, SIDE, 3), Generations(0, 5, 2), 0) == {}
    assert len(evolve_images(ASKED, (SIDE, SIDE, 3), Generations(1, 5, 99), 0)["cppn"].target) == 4
