"""How good, how fast? ``python -m evaluation search|speed|scale|incremental``."""
