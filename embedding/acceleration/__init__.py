"""Makes models faster on the processors there are, with the same vectors."""
