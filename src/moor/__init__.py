"""Moorage: any coding agent on governed models, over a wire of ours."""

__version__ = "0.1.0"
