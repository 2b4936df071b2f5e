"""Built-in features: what is computed of every sound and stored beside it, with its definition."""
