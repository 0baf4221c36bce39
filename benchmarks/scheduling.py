"""What scheduling costs: jobs of one second on simulated workers (`parallel.cluster.map_jobs`).

The workers are Dask's own with one thread each, many to a process; they sleep, so that little but the
scheduling is measured. The scheduler has a process of its own, as on a cluster.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import dask
from distributed import Scheduler, Worker

from pipeline.parallel import cluster


def job(_number: int) -> float:
    """Take one second."""
    time.sleep(1.0)
    return time.time()


def schedule(address: Connection) -> None:
    """Run a scheduler in this process until it is closed; send its address."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)

    async def run() -> None:
        scheduler = await Scheduler(host="127.0.0.1", port=0, dashboard=False)
        address.send(scheduler.address)
        await scheduler.finished()

    with dask.config.set(cluster.SETTINGS):
        asyncio.run(run())


def host(address: str, count: int) -> None:
    """Run some workers in this process until the scheduler closes them."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)

    async def run() -> None:
        workers = [Worker(address, nthreads=1, dashboard_address=None, memory_limit=0) for _ in range(count)]
        await asyncio.gather(*workers)
        await asyncio.gather(*(worker.finished() for worker in workers))

    with dask.config.set(cluster.SETTINGS):
        asyncio.run(run())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the time that the jobs took against the least possible."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduling", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1280)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--processes", type=int, default=2, help="that the workers are spread over")
    options = parser.parse_args(arguments)
    least = -(-options.jobs // options.workers)
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    running = [spawn.Process(target=schedule, args=(there,))]
    running[0].start()
    address = here.recv()
    counts = [options.workers // options.processes] * options.processes
    counts[0] += options.workers - sum(counts)
    running += [spawn.Process(target=host, args=(address, count)) for count in counts]
    for process in running[1:]:
        process.start()
    os.environ[cluster.ADDRESS_VARIABLE] = address
    with cluster.connect() as client:
        client.wait_for_workers(options.workers)
        started = time.perf_counter()
        done = sum(
            1 for _ in cluster.map_jobs(client, job, range(options.jobs), label="scheduling", unit="jobs")
        )
        seconds = time.perf_counter() - started
        client.shutdown()
    for process in running:
        process.join(timeout=30)
        process.kill()
    print(f"{done} jobs on {options.workers} workers: {seconds:.2f} s, {seconds / least:.3f} of the least")
    return 0


if __name__ == "__main__":
    sys.exit(main())
