"""Built-in sinks: a package for each storage format, and two for what formats share."""
