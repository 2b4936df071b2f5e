"""Shared code of the formats that store a row as an audio file and a JSON label."""
