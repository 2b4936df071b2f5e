"""Built-in importers: what a folder, an archive or a manifest holds."""
