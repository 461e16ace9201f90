"""Step 8 of 8: deploy — the package: preparation, weights and schema in files that execute nothing."""
