"""Step 8 of 8: monitor — the reference that later traffic is compared with."""
