import numpy as np

from pipeline.analyses.fooling.attacks import NEVER, Attacked, fgsm, pgd
from pipeline.analyses.fooling.pixels import PixelNetwork, answers
from pipeline.analyses.fooling.shown import attack_sample, show_probes
from tests.small.pixel_networks import PREPROCESSING, convolutional, pictures


class Silent:
    def advance(self, count=1):
        pass


ASKED = PixelNetwork(convolutional(), PREPROCESSING, 4)
GIVEN = pictures(6)
PROBES = Attacked(np.arange(6), GIVEN, answers(ASKED.logits(GIVEN))[0])
HOW = {"fgsm": fgsm(ASKED), "pgd": pgd(ASKED, steps=4, seed=0)}


def test_probes_lie_at_their_smallest_distance_and_are_fooled_there():
    for level in (1, 40):
        for fooled in show_probes(ASKED, HOW, PROBES, (0, level), Silent()).values():
            moved = np.abs(fooled.picture.astype(int) - GIVEN).max((1, 2, 3))
            assert (moved <= np.where(fooled.level == NEVER, level, fooled.level)).all()
            np.testing.assert_array_equal(fooled.predicted, answers(ASKED.logits(fooled.picture))[0])
            np.testing.assert_array_equal(fooled.predicted != PROBES.output, fooled.level != NEVER)
    assert (fooled.level != NEVER).any()


def test_smallest_distances_agree_with_the_curve():
    levels = (0, 2, 10, 40)
    for one in attack_sample(ASKED, HOW, PROBES, levels, Silent()).values():
        fooled = one.predicted != PROBES.output[:, None]
        for row, smallest in enumerate(one.smallest.tolist()):
            if smallest == NEVER:
                assert not fooled[row].any()
            else:
                assert not fooled[row][np.array(levels) < smallest].any()
