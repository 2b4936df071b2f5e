"""What the sounds and labels of a dataset show: spectra, importance, coverage, plots."""
