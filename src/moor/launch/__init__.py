"""From a command line to a running agent on a gateway of its own: plan, hand over, end cleanly."""
