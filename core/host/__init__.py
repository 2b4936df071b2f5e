"""The plugin host: hooks, roles, the registry that finds plugins, and the composition of a run."""
