"""Notes in time: a score, its tempo map, MIDI in and out."""
