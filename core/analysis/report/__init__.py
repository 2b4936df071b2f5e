"""A report of a dataset, or of two side by side, as one HTML file: what is gathered, what is drawn, and the page."""
