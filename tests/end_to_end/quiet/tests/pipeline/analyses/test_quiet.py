import numpy as np

from pipeline.analyses.quiet import quiet_shares


def test_shares_are_of_all_images_of_all_blocks():
    blocks = [np.array([[0, 2], [1, 2]], np.float32), np.array([[0, 0]], np.float32)]
    assert quiet_shares(blocks, 1).tolist() == [1, 1 / 3]
