"""The one pass over all images: codes, outputs, maxima and their places, written in shards.

- `extraction`: the pass as a whole
- `plan`: which rows make which shard, and its key; `cost`, `memory`: what that takes, said before it starts
- `recipe`: what decides a shard's bytes
- `computing`, `shard`, `reduction`: the work, on the cluster, of a shard, of a batch
- `directed`: a pass that ranks maps along directions, kept as shards of its own
- `index`: the folder of activations
- `second_ranking`: after a pass in half precision, the best candidates again in float32
"""
