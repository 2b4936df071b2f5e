"""What is heard and drawn of a row."""
