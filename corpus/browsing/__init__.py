"""A screen on which a person hears items of a corpus and says what they are."""
