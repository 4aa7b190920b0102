"""The control API under `/_sim/` and its clients."""
