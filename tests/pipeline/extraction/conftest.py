"""What every test of an extraction begins with."""

import pytest

from tests.small.extraction import make_manifest, make_weights, write_images


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with a dataset, its manifest, weights and a pool of its own; computed on the processor."""
    folder = tmp_path_factory.mktemp("extraction")
    write_images(folder / "dataset", 60)
    make_manifest(folder / "dataset", folder / "manifest.h5")
    make_weights(folder / "weights", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVATLAS_SHARDS", str(folder / "pool"))
        patch.setenv("CONVATLAS_DEVICE", "cpu")
        yield folder
