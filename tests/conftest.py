"""What all tests share: an environment of their own."""

import logging

import pytest

from pipeline.parallel import cluster


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """No test leaves anything in the project's folders, or computes on a cluster that the machine names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
        for variable in ("CONVATLAS_CACHE", "CONVATLAS_SHARDS"):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        yield


@pytest.fixture(scope="session")
def _scheduler():
    """Two workers: starting them, and each one's imports, take longer than most of the tests."""
    heard = [(handler, handler.level) for handler in logging.getLogger().handlers]
    with cluster.connect(workers=2) as client:
        # A local cluster silences every handler that hears it as long as it lives, pytest's among them.
        for handler, level in heard:
            handler.setLevel(level)
        yield client.scheduler.address


@pytest.fixture(scope="module")
def workers(_scheduler):
    """Two workers that all tests of this process share, for those of a module; a lost one is replaced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cluster.ADDRESS_VARIABLE, _scheduler)
        yield
