"""One module a DVC stage: parameters and paths in, artifacts out."""
