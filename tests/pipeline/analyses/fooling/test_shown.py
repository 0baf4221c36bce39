import numpy as np
import pytest

from pipeline.analyses.fooling.attacks import NEVER, Attacked
from pipeline.analyses.fooling.pixels import PixelNetwork, answers
from pipeline.analyses.fooling.shown import Attacks, transfer_of, try_on_others
from pipeline.formats.fooling import METHODS
from pipeline.numerics.rows import joined
from tests.small.pixel_networks import PREPROCESSING, convolutional, pictures, random_linear

ASKED = PixelNetwork(convolutional(), PREPROCESSING, 4)
GIVEN = pictures(6)
PROBES = Attacked(np.arange(6), GIVEN, answers(ASKED.logits(GIVEN))[0])
LEVELS = (0, 2, 10, 40)
ATTACKS = Attacks(ASKED, LEVELS, steps=4, seed=0)


@pytest.mark.parametrize("method", METHODS)
def test_probes_lie_at_their_smallest_distance_and_are_fooled_there(method):
    for level in (1, 40):
        fooled = Attacks(ASKED, (0, level), steps=4, seed=0).show(method, PROBES)
        moved = np.abs(fooled.picture.astype(int) - GIVEN).max((1, 2, 3))
        assert (moved <= np.where(fooled.level == NEVER, level, fooled.level)).all()
        np.testing.assert_array_equal(fooled.predicted, answers(ASKED.logits(fooled.picture))[0])
        np.testing.assert_array_equal(fooled.predicted != PROBES.output, fooled.level != NEVER)
    assert (fooled.level != NEVER).any()


@pytest.mark.parametrize("method", METHODS)
def test_smallest_distances_agree_with_the_curve(method):
    one = ATTACKS.attack(method, PROBES)
    fooled = one.predicted != PROBES.output[:, None]
    for row, smallest in enumerate(one.smallest.tolist()):
        if smallest == NEVER:
            assert not fooled[row].any()
        else:
            assert not fooled[row][np.array(LEVELS) < smallest].any()


@pytest.mark.parametrize("method", METHODS)
def test_parts_are_attacked_as_the_whole_is(method):
    parts = PROBES.parts(4)
    assert [one.key.tolist() for one in parts] == [[0, 1, 2, 3], [4, 5]]
    for attack in (ATTACKS.attack, ATTACKS.show):
        apart, whole = joined([attack(method, one) for one in parts]), attack(method, PROBES)
        for name, values in vars(whole).items():
            np.testing.assert_array_equal(getattr(apart, name), values)


def test_what_fools_one_is_shown_to_all():
    linear = PixelNetwork(random_linear(outputs=4)[0], PREPROCESSING, 4)
    networks = {"before": linear, "final": ASKED}
    tried = [try_on_others(networks, PROBES, 10, name) for name in networks]
    found = transfer_of(networks, tried)
    assert found.name == ("before", "final") and found.attacked.shape == (2, 2, 6)
    np.testing.assert_array_equal(found.clean[1], PROBES.output)
    own = ATTACKS.attack("fgsm", PROBES).predicted[:, LEVELS.index(10)]
    np.testing.assert_array_equal(found.attacked[1, 1], own)
    assert transfer_of({"final": ASKED}, tried[:1]) is None
