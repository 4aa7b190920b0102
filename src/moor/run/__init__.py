"""Processes: who they are, whether they live, how they are started and swept away."""
