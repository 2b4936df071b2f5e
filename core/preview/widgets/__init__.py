"""What is seen of it: a widget of Textual in each file. Everything below this package knows nothing of Textual."""
