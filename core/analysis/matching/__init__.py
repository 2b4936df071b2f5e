"""From a sound to a patch: the nearest rows of a dataset, and a search from there through the synth itself."""
