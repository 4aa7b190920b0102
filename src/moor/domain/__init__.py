"""The nouns: frozen data without I/O."""
