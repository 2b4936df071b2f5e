"""Built-in executors: where the workers of a run are started."""
