"""One synth in a process of its own, kept pristine for every note."""
