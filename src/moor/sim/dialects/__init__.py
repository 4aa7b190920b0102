"""The four model dialects, a folder each: what is refused, how a request reads, how an answer is written."""
