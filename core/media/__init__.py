"""Sounds for ears and eyes: short clips for players, pictures of spectra, and the speaker."""
