"""The kinds of page, a module each; each gives its template what it shows.

- `first`, `chapters`, `about`: the first page, a page a chapter, the last one
- `layers`, `units`, `images`: of each layer, of each unit, of an image that is looked up; `lookup`: of a unit
  that was not drawn
- `maps`, `labelling`: those on which one does something
- `searching`, `downloads`, `graph`: parts that pages share: the search, files to take away, what was made
  from what
"""
