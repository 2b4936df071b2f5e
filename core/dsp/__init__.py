"""Spectra, scales and envelopes of sounds: the one definition of each, which features and analysis share."""
