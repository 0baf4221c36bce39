"""Work on many processors.

- `cluster`: Dask's workers, here or elsewhere; `map_jobs`, of extraction and reductions, finds the job that
  ends them
- `fold`: reductions over shards, here or by `cluster`; one line for the part that ends its workers
- `processes`: a pool whose items may hang or kill a process, of the manifest; `Lost`, of either kind
- `forks`: the few, long jobs of a stage, in as many processes as there are cores and memory for; `jobs`: of
  several kinds beside each other; `memory`: what a step takes, and what is free
- `threads`: results of threads in order
- `source`: digests of code, by which workers and shards are known to be the same
"""
