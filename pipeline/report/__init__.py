"""Pages from figures, numbers and captions.

The report knows no section by name, but for what stands out on its first page: a section is a folder that a
render stage made (`pipeline.contents`), and a caption file ``captions/<name>.md`` beside this module.

- `captions`, `wording`: the words, and how numbers are filled into them; `numbers`, `cells`: how numbers are
  written
- `collecting`: what all sections say of a layer, of a unit, of an image
- `shown`: what templates show of contents, `unit_shown`, `layer_units`: of a unit, of a layer's units;
  `environment`: the templates; `pages`: the kinds of page
- `first`: what stands at the head of the first page, and its small pictures
- `addresses`: where each page lies; `escaping`: names made harmless; `scripts`: data for pages that look
  things up
- `provenance`: what the figures were made from, read from the artifacts; `sources`: of each section
- `site`: the whole report
"""
