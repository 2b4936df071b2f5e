"""Text for the person at the terminal: tables, counts, sizes, messages."""
