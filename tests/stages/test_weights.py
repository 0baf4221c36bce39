import numpy as np
import pytest

from pipeline.images.preprocess import Preprocessing
from stages.weights import tell_of_middles


@pytest.mark.parametrize(
    ("resize", "said"), [(None, "of 2 of 3 images only the 8 x 16 pixels in the middle are seen"), (8, "")]
)
def test_images_of_which_only_the_middle_is_seen_are_counted(caplog, resize, said):
    seen = Preprocessing(input_size=(8, 16), resize=resize)
    tell_of_middles(seen, np.array([16, 17, 9]), np.array([8, 8, 9]))
    assert said in caplog.text and bool(said) == bool(caplog.text)


def test_nothing_is_said_where_all_of_each_image_is_seen(caplog):
    tell_of_middles(Preprocessing(input_size=(8, 8), resize=None), np.array([8, 4]), np.array([8, 8]))
    assert not caplog.text
