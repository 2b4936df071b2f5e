"""A row as an audio file and a JSON label: what formats share that store it so."""
