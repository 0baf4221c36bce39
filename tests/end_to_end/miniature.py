"""The parameters of the miniature, as changes to params.yaml."""

PARAMS = {}
MANY_SHARDS = {}
