"""A strict simulated workspace with an AI gateway and a scripted model.

Contract and sources: facts/databricks sections 0, 1, 2 and 9; design, decision 16. Everything it answers carries
`x-moor-simulated: true`. Loaded by `moor sim`, `moor demo` and tests only.
"""
