"""Which models the simulated workspace has, and the calls that list them."""
