"""``tonesmith explore app``: fit, play, compare and keep, in a browser on this machine."""
