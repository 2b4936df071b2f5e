"""Rows for training: their order, their weights, and the tensors of torch."""
