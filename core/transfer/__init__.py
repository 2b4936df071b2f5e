"""Converting, merging and splitting datasets."""
