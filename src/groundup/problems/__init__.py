"""Step 1 of 8: define the problem — task, target, metric and baseline, inferred, explained, checked."""
