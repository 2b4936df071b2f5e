"""Datasets converted to another format, merged with others, and split."""
