"""One page about a measurement, whole in one file, and the same as JSON."""
