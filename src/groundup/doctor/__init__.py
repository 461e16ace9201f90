"""The doctor watches every step: one small rule per fault, each with evidence and a remedy."""
