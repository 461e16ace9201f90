"""Step 7 of 8: evaluate — metrics, cross-validation, intervals, charts, the report."""
