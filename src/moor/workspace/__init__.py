"""A Databricks workspace, one surface a file. Facts: facts/databricks sections 0 to 2."""
