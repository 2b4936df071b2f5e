"""Built-in annotators: what can be said of an item of a corpus."""
