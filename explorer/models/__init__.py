"""Built-in models of the explorer: what maps frames of sounds to points, and back."""
