"""Moorage: any coding agent on governed models, over a wire of ours."""

from moor.compiled import prefer

__version__ = "0.1.0"

prefer(__file__)
