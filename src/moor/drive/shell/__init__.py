"""What a shell command would touch, read from its text. See `judge` for the promise and its limits."""
