"""Images of different products that show the same."""
