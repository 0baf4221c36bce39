"""What tests of several rooms share."""

import pytest

from pipeline.parallel import cluster


@pytest.fixture(scope="module")
def workers():
    """Two workers for all tests of a module: starting them takes longer than most of the tests."""
    with cluster.connect(workers=2) as client, pytest.MonkeyPatch.context() as patch:
        patch.setenv(cluster.ADDRESS_VARIABLE, client.scheduler.address)
        yield
