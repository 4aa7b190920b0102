"""The gateway against nginx and nothing: `python -m bench.gateway` (design, section 7)."""
