"""The embedded index: Qdrant Edge in process."""
