"""What writes the pages of docs/reference from the code: a module for each page."""
