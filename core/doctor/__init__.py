"""What a synth promises, measured on this machine."""
