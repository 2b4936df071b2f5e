"""Everything that decides what is in a dataset: the plan, its notes, blocks, columns and rejections."""
