"""Step 7 of 8: tune — choose between candidates by cross-validation, and say why."""
