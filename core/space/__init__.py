"""The parameters of a synth, what of them varies, and the codec between a label and raw values."""
