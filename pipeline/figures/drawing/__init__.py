"""What several sections draw with.

- `canvas`: pictures, text and lines as WebP, SVG and PDF; `tiles`: the small pictures on it; `webp`,
  `rings`: how pictures and rings are written
- `strips`: the patches of each unit; `sprites`: many strips on a few sheets
- `mosaic`: many thumbnails on one sheet; `atlases`: those of an interactive map
- `kernels`: weights as pictures; `signals`: what was sent back to an image; `unit_grid`: the maps of a
  layer's units; `overlays`: maps laid over images
- `plotting`: plots for light and dark pages; `palette`, `scales`: their colours and axes; `courses`,
  `heatmap`: lines over checkpoints, a matrix
- `fonts`: what names of other scripts are written with, in both
"""
