"""Predicted labels beside the true ones: rendered again, measured, and set against baselines."""
