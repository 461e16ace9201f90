"""Step 3 of 8: design the model — one file per algorithm family, and the catalogue that lists them."""
