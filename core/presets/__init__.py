"""Finding, downloading, reading and playing preset files."""
