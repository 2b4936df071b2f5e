"""Built-in augmenters: variants of the items of a corpus."""
