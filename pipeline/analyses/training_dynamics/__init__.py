"""What layers do from checkpoint to checkpoint of a training.

- `forwarding`: the same images through each checkpoint; `maps`: what is measured of their outputs
- `course`: how such a number goes, with intervals
"""
