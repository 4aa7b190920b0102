"""The scripted model: scenarios as data, the step derived from the request alone."""
