"""From a composition to a plan, and from a plan to a dataset."""
