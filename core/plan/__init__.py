"""Everything that decides the content of a dataset: the plan, its notes, blocks, columns and rejections."""
