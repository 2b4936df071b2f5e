"""Analysis of the sounds and labels of a dataset: spectra, importance, coverage, plots."""
