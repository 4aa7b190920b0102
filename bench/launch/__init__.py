"""What a start costs, against a bare interpreter: `python -m bench.launch`."""
