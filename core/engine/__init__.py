"""One synth in a separate process, kept pristine for every note."""
