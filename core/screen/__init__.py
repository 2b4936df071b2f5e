"""What screens in a terminal are made of: a list, a panel, pictures in cells, a prompt, a player, work in threads."""
