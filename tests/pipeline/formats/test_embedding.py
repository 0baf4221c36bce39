from dataclasses import replace

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.embedding import VERSION, Embedding, read_embedding, write_embedding
from pipeline.formats.status import Status, write_status

EMBEDDING = Embedding(
    image_id=np.array([1, 2, 4]),
    xy=np.array([[0.5, 1], [2, -3], [4, 5]], np.float32),
    grid=np.array([[0, 0], [1, 0], [0, 1]], np.int32),
    label=np.array([0, -1, 2], np.int32),
    landmark=np.array([0, 2]),
    grid_shape=(2, 2),
    metric="cosine",
    numbers={"images": 3, "kl": 0.25, "effective_perplexity": 1.0},
)


def test_what_is_written_is_read_back(tmp_path):
    write_embedding(tmp_path / "embedding.h5", EMBEDDING, made_from={"params": "00"})
    found = read_embedding(tmp_path / "embedding.h5")
    for name in ("image_id", "xy", "grid", "label", "landmark"):
        assert getattr(found, name).dtype == getattr(EMBEDDING, name).dtype
        np.testing.assert_array_equal(getattr(found, name), getattr(EMBEDDING, name))
    assert (found.grid_shape, found.metric, found.numbers) == ((2, 2), "cosine", EMBEDDING.numbers)


def test_why_there_is_no_map_is_read_back(tmp_path):
    status = Status("not applicable", "A map needs at least 5 images.")
    write_status(tmp_path / "embedding.h5", status, stage="embedding", version=VERSION)
    assert read_embedding(tmp_path / "embedding.h5") == status


def test_equal_maps_give_equal_bytes(tmp_path):
    backwards = replace(EMBEDDING, numbers=dict(reversed(EMBEDDING.numbers.items())))
    for name, embedding in (("a.h5", EMBEDDING), ("b.h5", backwards)):
        write_embedding(tmp_path / name, embedding, made_from={})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "embedding.h5", stage="embedding", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"):
        read_embedding(tmp_path / "embedding.h5")
