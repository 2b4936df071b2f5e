"""A few candidates of a plan, heard before a long run: how they sound, and what the run will be."""
