"""The truth of a corpus: its database, its settings and profile, its files, and what is written from it."""
