"""Arbitrary directions of a layer's space beside its units: made, ranked, compared.

- `axes`: which layers, along which directions; `making`, `given`: those made here, and those of the user's
  files
- `stored`: images ranked by what is stored of a layer; `kinds`: what is kept of each kind of direction
- `purity`: whether units are purer in class than directions
- `rotation`, `pairs`: whether the network minds its space being rotated
- `concepts`, `examples`: directions learnt from images of a concept
"""
