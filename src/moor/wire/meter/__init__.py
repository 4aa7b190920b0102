"""Meters: what a model call used, read from the upstream's own bytes, one dialect a file; `open` begins one."""
