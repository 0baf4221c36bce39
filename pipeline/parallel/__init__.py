"""Work on many processors: processes, threads, a Dask cluster, folds over the shards of activations."""
