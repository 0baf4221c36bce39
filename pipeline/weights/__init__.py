"""Where the weights of a network come from: a training, a checkpoint, or torchvision.

- `assembly`: a network put together from what the parameters name
- `training`: by a seeded training here; `saved`: the checkpoints of one
- `published`: by torchvision
- `checkpoints`: from the user's file; `foreign_files`: what a file is that holds none
"""
