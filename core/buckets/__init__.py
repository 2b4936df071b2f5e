"""Datasets in object stores: addresses that act as paths, the client, and the cache of what was read."""
