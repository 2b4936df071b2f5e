"""Built-in samplers: how patches are spread over a space, or drawn near and between presets."""
