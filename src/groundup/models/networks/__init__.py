"""Step 3 of 8: the architectures, as plain torch modules that can be imported alone."""
