import numpy as np

from pipeline.comparison.pairing import pair_images
from pipeline.formats.manifest import open_manifest
from tests.small.artifacts import write_manifest_of


def write(folder, name, contents):
    """Write files and their manifest."""
    images = folder / name
    images.mkdir()
    for file, content in contents.items():
        (images / file).write_text(content)
    return write_manifest_of(folder / f"{name}.h5", images, sorted(contents))


def test_images_are_paired_by_path_where_their_bytes_are_the_same(tmp_path):
    first = write(tmp_path, "one", {"a.png": "1", "b.png": "2", "c.png": "3", "e.png": "5"})
    second = write(tmp_path, "two", {"b.png": "2", "c.png": "another", "d.png": "4", "e.png": "5"})
    with open_manifest(first) as ours, open_manifest(second) as theirs:
        pairs = pair_images(ours, theirs)
    assert pairs.path == ("b.png", "e.png")
    assert pairs.first.tolist() == [1, 3] and pairs.second.tolist() == [0, 3]
    assert (pairs.other_bytes, pairs.only_first, pairs.only_second) == (1, 1, 1)
    pair, rows, others = pairs.among(np.array([3, 0]), np.array([0, 1, 3]))
    assert (pair.tolist(), rows.tolist(), others.tolist()) == ([1], [0], [2])


def test_runs_without_a_common_image_have_no_pairs(tmp_path):
    first, second = write(tmp_path, "one", {"a.png": "1"}), write(tmp_path, "two", {"b.png": "1"})
    with open_manifest(first) as ours, open_manifest(second) as theirs:
        pairs = pair_images(ours, theirs)
    assert len(pairs) == 0 and len(pairs.among(np.arange(1), np.arange(1))[0]) == 0
