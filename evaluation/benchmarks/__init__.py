"""How fast, how large: each runs alone, and measures against a baseline in the same run."""
