"""Numbers from numbers: no image is read, no network is run.

- `intervals`, `bootstrap`, `contingency`: how sure a number is, and what chance alone makes of it
- `geometry`: what neurons see; `upsampling`, `windows`, `maps`: maps over a picture, and what they are like
- `pca`, `neighbours`, `curves`: many points in space
- `smoothness`: of kernels
- `spreading`, `rows`, `scratch`: some of many; arrays that go together; arrays on disk
"""
