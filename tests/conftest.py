"""What all tests share: an environment of their own."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """No test leaves anything in the project's folders, or computes on a cluster that the machine names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
        for variable in ("CONVATLAS_CACHE", "CONVATLAS_SHARDS"):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        yield
