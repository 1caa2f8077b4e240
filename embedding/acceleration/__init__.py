"""The same vectors sooner: what is done to a model for the processors there are."""
