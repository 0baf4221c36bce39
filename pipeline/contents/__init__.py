"""The contract between figures and report: what a render stage hands over, written and read here alone.

A render stage writes a chapter: a folder with one folder a section, in which ``contents.json`` lists what the
section says. Words stand in the report's captions; contents hold numbers, files, and the names of captions.

- `values`: numbers, cells, columns and what they are of
- `blocks`: the parts of a section, in the order of the page
- `parts`: what a section says of a layer, of a unit, of an image
- `section`: a section as a whole
- `slugs`: names of layers in addresses; `map_points`: the points of a map as scripts
- `writing`, `reading`: the folder of a chapter
"""
