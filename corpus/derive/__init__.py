"""Items made of others, and of nothing but a recipe: augmented, composed, rendered, and made again."""
