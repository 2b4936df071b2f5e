"""Built-in composers: what draws scores, with what is true of them."""
