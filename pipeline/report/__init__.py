"""Pages from figures, numbers and captions.

The report knows no section by name: a section is a folder of figures with its ``section.json``, and a
caption file ``sections/<name>.md`` beside this module.

- `section`: what a render stage hands over
- `captions`: the text about a method, with its numbers filled in
- `provenance`: what the figures were made from, read from the artifacts
- `site`: the whole report; `units`: its pages of layers and units
- `publish`: the report as one zip that names the git revision
"""
