"""Step 2 of 8: collect — read a source into a dataset with a schema and a fingerprint, and split it."""
