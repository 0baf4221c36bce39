"""Which pixels an output of a network depends on, and whether such a map is any good.

- `methods`, `grad_cam`: the maps; `scores`: the gradients that they are made of; `importance`: how they are
  read
- `given`: maps that were found before, which are measured
- `orders`, `deletion`: pixels taken away and put in, by what a map says of them
- `shuffling`, `likeness`: maps after weights were shuffled, and how alike two are
- `verdicts`: whether a method passes
"""
