"""How good, how fast, and is the index in order? ``python -m evaluation``."""
