"""One file a command: arguments, one call inward, rendering."""
