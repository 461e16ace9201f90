"""Fitted steps on the whole matrix, after the column plans: fill numbers in, select inputs, reduce them.

The order is fixed. Filling comes first, because scores and components need complete rows; it sees every
column, also those that are not selected afterwards. Selecting comes before reducing, because it keeps or
drops inputs that have names; a component is made of what is left, so that columns which say nothing do
not add to its variance.

A stage is one file here and one line in `catalogue.STAGES`; `tests/conformance` then runs over it.
"""
