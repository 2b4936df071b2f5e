"""All steps of a corpus from one file, which go on where they stopped."""
