"""Sounds as files: formats, rates and depths, tags, peaks."""
