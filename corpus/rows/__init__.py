"""A corpus opened as a dataset: its items, or windows of them, as rows with audio, score and labels."""
