"""A process whose wall clocks, random devices and addresses are held still, so that a synth sounds the same in each."""
