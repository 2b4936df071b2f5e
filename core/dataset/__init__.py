"""A dataset opened for reading: its rows, splits, integrity and statistics."""
