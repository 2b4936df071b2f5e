"""Preset files: found, downloaded, read, and listened to."""
