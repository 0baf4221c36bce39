"""The blocks of params.yaml, a module each, named as the block: its schema, and what can be checked early.

They lie apart from the stages since `check` reads all of them before every run, and should not wait for what
the stages import to embed or to draw.
"""
