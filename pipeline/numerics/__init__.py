"""Numbers from numbers: no file is read, no network is run."""
