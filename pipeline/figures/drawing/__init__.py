"""What several sections draw with.

- `canvas`: pictures, text and lines as PNG and as SVG; `tiles`: the small pictures on it
- `sprites`: many strips on a few sheets; `mosaic`: many thumbnails on one sheet
- `plotting`: plots for light and dark pages; `palette`: their colours
"""
