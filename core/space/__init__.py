"""The parameters of a synth, which of them vary, and the codec between a label and raw values."""
