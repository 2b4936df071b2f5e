"""What is listed: rows or rejects, with the fields that filters and orders know."""
