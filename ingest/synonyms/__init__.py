"""Synonyms that a catalog suggests, for a person to accept."""
