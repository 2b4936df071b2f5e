"""The card of a dataset: README.md for people, croissant.json for programs."""
