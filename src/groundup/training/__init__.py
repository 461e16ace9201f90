"""Steps 4 to 6 of 8: initialise, choose loss and optimizer, train."""
