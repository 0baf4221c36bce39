"""The first page of the report: what stands at its head, and what is drawn for it alone.

- `rules`: what stands out, by stated rules over the numbers of sections
- `head`: the network, its accuracy, how large it is; `strip`: the most selective unit of each layer
- `pictures`: small pictures, cut out of those of the sections
"""
