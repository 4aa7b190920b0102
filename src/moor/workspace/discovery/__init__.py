"""The models of a workspace: one listing a file, merged (facts/databricks 2.3)."""
