"""Step 2 of 8: prepare — the fitted, column-by-column plan that turns raw rows into model inputs."""
