"""What scheduling costs: jobs of one second through `pipeline.cluster.map_jobs` on simulated workers.

The workers are threads of two processes, and sleep, so that little but the scheduling is measured.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

import dask
from distributed import LocalCluster

from pipeline import cluster


def job(_number: int) -> float:
    """Take one second."""
    time.sleep(1.0)
    return time.time()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the time that the jobs took against the least possible."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduling", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1280)
    parser.add_argument("--workers", type=int, default=64)
    options = parser.parse_args(arguments)
    least = -(-options.jobs // options.workers)
    with (
        dask.config.set(cluster.SETTINGS),
        LocalCluster(
            n_workers=options.workers,
            threads_per_worker=1,
            processes=False,
            protocol="tcp",
            dashboard_address=None,
        ) as running,
    ):
        os.environ[cluster.ADDRESS_VARIABLE] = running.scheduler_address
        with cluster.connect() as client:
            started = time.perf_counter()
            done = sum(
                1 for _ in cluster.map_jobs(client, job, range(options.jobs), label="scheduling", unit="jobs")
            )
            seconds = time.perf_counter() - started
    print(f"{done} jobs on {options.workers} workers: {seconds:.2f} s, {seconds / least:.3f} of the least")
    return 0


if __name__ == "__main__":
    sys.exit(main())
