"""Train, validation and test: parts of a catalog that know nothing of each other."""
