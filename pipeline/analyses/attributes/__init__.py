"""Where the network fails: its accuracy as a function of what its images are like.

- `columns`: an attribute's values, and those that follow from boxes
- `binning`: bins of equal count, groups of words, bins of classes
- `effects`: how the network does in each bin
- `ranking`: which attributes hurt most, alone and beside the strongest
- `interaction`: two attributes together
"""
