"""A dataset browsed in a terminal: rows listed, filtered, sorted, drawn, played and rated."""
