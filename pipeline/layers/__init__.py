"""The layers of a network: which there are, which are chosen, what they put out on batches of images.

- `layers`: which there are, and which of them is the code; `weighted`: those that have filters; `bounds`:
  those that no output exceeds a value of
- `choosing`: by names and globs; `selection`: the automatic choices
- `batches`: images as a network is given them
- `observer`: outputs handed out as they are computed; `watch`: of networks that torch.fx cannot trace;
  `running`: outputs kept, edited, and gradients
- `rules`: how signals pass rectifiers on their way back; `rectifiers`: which calls these are; `audit`: that
  none was missed
"""
