"""Features of the items of a corpus: asked for, computed in processes, and kept in files that the truth knows."""
