import numpy as np

from pipeline.analyses.fooling.ascent import Ascent, probability_of
from pipeline.analyses.fooling.attacks import Attacked
from pipeline.analyses.fooling.making import Generations, ascents, changes, evolutions
from pipeline.analyses.fooling.minimal import Search
from pipeline.analyses.fooling.pixels import PixelNetwork, answers
from pipeline.numerics.rows import joined
from tests.small.pixel_networks import PREPROCESSING, SIDE, convolutional, pictures

ASKED = PixelNetwork(convolutional(), PREPROCESSING, 4)
SHAPE = (SIDE, SIDE, 3)


def done(jobs):
    return [job() for job in jobs]


def test_every_output_that_is_drawn_begins_as_noise_and_as_grey():
    parts = done(ascents(ASKED, SHAPE, 3, Ascent(0.9, 100, 4.0), 0))
    assert [len(one.target) for one in parts] == [4, 2]
    made = joined(parts)
    assert made.flat.tolist() == [0, 0, 0, 1, 1, 1]
    assert made.target[:3].tolist() == made.target[3:].tolist() == sorted(set(made.target.tolist()))
    logits = ASKED.logits(made.picture)
    np.testing.assert_array_equal(made.predicted, answers(logits)[0])
    np.testing.assert_allclose(made.confidence, probability_of(logits, made.target), rtol=1e-6)
    assert len(joined(done(ascents(ASKED, SHAPE, 99, Ascent(0.9, 1, 1.0), 0))).target) == 8


def test_probes_are_changed_towards_another_output():
    given = pictures(3)
    predicted = answers(ASKED.logits(given))[0]
    parts = done(changes(ASKED, Attacked(np.arange(3), given, predicted), Search(6, 20), 0))
    assert len(parts) == 3
    found = joined(parts)
    assert (found.target != predicted).all()
    there = np.isfinite(found.stretch)
    np.testing.assert_array_equal(found.predicted[there], found.target[there])
    assert (found.reached == np.isfinite(found.penalty)).all() and found.reached.any()
    nothing = Attacked(np.arange(0), given[:0], predicted[:0])
    assert changes(ASKED, nothing, Search(6, 20), 0) == []


def test_images_are_evolved_for_outputs_that_are_drawn_in_both_encodings():
    how = Generations(3, 5, 2)
    found = done(evolutions(ASKED, SHAPE, how, 0))
    assert len(found) == 2 and how.passes == 2 * 4 * 5
    first, second = (one.target.tolist() for one in found)
    assert first == second == sorted(set(first)) and len(first) == 2
    # Noise, and what is drawn by place.
    direct, drawn = (np.abs(np.diff(one.picture.astype(int), axis=2)).mean() for one in found)
    assert direct > drawn
    assert evolutions(ASKED, SHAPE, Generations(0, 5, 2), 0) == []
    assert len(evolutions(ASKED, SHAPE, Generations(1, 5, 99), 0)[1]().target) == 4
