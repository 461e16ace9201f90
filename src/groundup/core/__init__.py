"""The words every step speaks, and no step: errors, events, findings, seeds, files, the run folder."""
