"""Measuring on this machine whether a synth keeps its promises."""
