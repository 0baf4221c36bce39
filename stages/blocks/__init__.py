"""The blocks of params.yaml, a module each, named as the block: its schema, and what can be checked early.

`Params` is the schema; `check`, where there is one, is called before every run with all blocks and the
network that the block `model` names (`pipeline.weights.assembly.Preview`), built once.

They lie apart from the stages since `check` reads all of them before every run, and should not wait for what
the stages import to embed or to draw.
"""
