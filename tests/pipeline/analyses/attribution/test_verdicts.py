"""What is said of methods whose numbers are known."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.analyses.attribution.verdicts import LEAST, alike_by_step, estimate, knowledge, verdicts_of
from tests.small.scorecard import scorecard


def test_a_method_passes_or_fails_by_its_order_or_by_the_weights():
    found = verdicts_of(scorecard())
    assert (found["saliency"].order, found["saliency"].weights) == ("passes", "passes")
    assert found["saliency"].passes and not found["saliency"].fails
    assert (found["guided_backprop"].order, found["guided_backprop"].weights) == ("passes", "fails")
    assert (found["occlusion"].order, found["occlusion"].weights) == ("fails", "passes")
    assert found["occlusion"].fails and found["guided_backprop"].fails


def test_gains_are_differences_of_areas_with_better_above_zero():
    found = verdicts_of(scorecard())["saliency"]
    # The middle of the curve counts half: 0.5 less 0.2, but for the noise.
    assert found.deletion.mean == pytest.approx(0.15, abs=0.02)
    assert found.insertion.mean == pytest.approx(0.15, abs=0.02)
    assert found.over_centre[0].mean == pytest.approx(0.1)
    assert found.deletion.low < found.deletion.mean < found.deletion.high


def test_below_so_many_images_nothing_is_said():
    found = verdicts_of(scorecard(images=LEAST - 1, again=LEAST - 1))
    assert {(one.order, one.weights, one.of_class) for one in found.values()} == {("open",) * 3}
    assert not any(one.fails or one.passes for one in found.values())


def test_maps_may_be_alike_by_their_magnitudes_alone():
    made = scorecard()
    turned = replace(made.likeness["guided_backprop"], shuffled=-made.likeness["guided_backprop"].shuffled)
    found = verdicts_of(replace(made, likeness={**made.likeness, "guided_backprop": turned}))
    assert found["guided_backprop"].weights == "fails"


def test_steps_are_of_the_same_images_as_their_mean():
    """An image that lacks one step is left out of the others, too."""
    made = scorecard()
    shuffled = np.tile([[0.9], [0.1]], 8)
    shuffled[0, 0], shuffled[1, 0] = np.nan, 0.8
    own = replace(made.likeness["saliency"], shuffled=shuffled, shuffled_magnitude=shuffled - 0.2)
    found = verdicts_of(replace(made, likeness={**made.likeness, "saliency": own}))["saliency"]
    assert alike_by_step(own) == pytest.approx([0.9, 0.1])
    assert found.alike.n == 7 and found.alike.mean == pytest.approx(0.5)
    turned = replace(own, shuffled_magnitude=np.full((2, 8), 0.7))
    assert alike_by_step(turned) == pytest.approx([0.7, 0.7])
    nothing = np.full((2, 8), np.nan)
    assert np.isnan(alike_by_step(replace(own, shuffled=nothing, shuffled_magnitude=nothing))).all()


def test_what_may_be_alike_for_all_that_is_known_is_open():
    made = scorecard()
    wide = np.tile([1.0, 1.0, -0.2, -0.2], (2, 2))
    own = replace(made.likeness["saliency"], shuffled=wide, shuffled_magnitude=wide)
    found = verdicts_of(replace(made, likeness={**made.likeness, "saliency": own}))["saliency"]
    assert found.weights == "open" and not found.passes and not found.fails


def test_without_another_class_nothing_is_said_of_it():
    made = scorecard()
    none = {
        name: replace(one, other=np.full(8, np.nan), other_magnitude=np.full(8, np.nan))
        for name, one in made.likeness.items()
    }
    found = verdicts_of(replace(made, likeness=none))["saliency"]
    assert found.other is None and found.of_class == "open"


def test_knowledge_is_what_exceeds_an_even_guess_on_labelled_images():
    known = knowledge(scorecard())
    assert known.mean == pytest.approx(0.9 - 0.25) and known.n == 8
    assert knowledge(scorecard(label=False)) is None
    made = scorecard()
    assert knowledge(replace(made, about=replace(made.about, outputs=1))) is None


def test_estimates_leave_out_what_is_not_known():
    found = estimate(np.array([1.0, np.nan, 3.0]))
    assert (found.mean, found.n) == (2, 2) and found.low == 1 and found.high == 3
    assert estimate(np.full(3, np.nan)) is None
