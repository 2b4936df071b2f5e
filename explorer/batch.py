"""Many sounds from one file."""
