"""What the network takes each image for, and how often it is right.

- `predictions`: the first outputs of each image beside its label, accuracy, calibration; `hardest`: the
  classes that are right more rarely than chance explains
- `classes`, `wnids`: which output stands for which class; `naming`: what people call both
"""
