"""A dataset opened for reading: its rows, splits, integrity, and what is in it in numbers."""
