"""What the columns of a catalog mean: which are ours, and what their values say."""
