"""Harmony and melody in pitch classes."""
