"""A dataset on disk, and the bytes of one image of it.

- `dataset`: a folder, tar files or a CSV, opened; an image read by its path
- `names`: names of files as text; `isolation`: those that are written to the left
- `tars`: where the members of a tar file lie
- `originals`: images by their `image_id`, as they were when the manifest was made; `as_seen`: as the network
  sees them
- `samples`: the datasets that come by name; `letters`: the one that is rendered here
"""
