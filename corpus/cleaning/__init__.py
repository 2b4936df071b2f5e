"""What is taken out of a corpus: found by its sound and its notes, moved out with a reason, and brought back."""
