"""Two runs of the project beside each other, a page of what differs.

    python -m pipeline.comparison REV [OTHER]    writes compare/index.html

`pipeline.compare` says whether two runs are equal, dataset by dataset; this, what the differences mean.

- `runs`: a revision of git, or a project's folder; `pairing`: the images that both have; `answers`: what the
  two networks say of them
- `shares`, `overlap`, `alignment`: differences of what both measured on the same things
- `settings`, `accuracy`, `changed`, `units`, `layers`, `maps`, `inventory`: the sections
- `page`: the page of these
"""
