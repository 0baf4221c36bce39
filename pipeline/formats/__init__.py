"""One module an artifact: its dataclass, version, reading and writing. Names of datasets stand here alone."""
