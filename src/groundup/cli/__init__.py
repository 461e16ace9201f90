"""The terminal: the eight steps as commands, one file per verb."""
