"""Built-in validators: what every render must pass."""
