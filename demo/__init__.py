"""The demo catalog: foods that are fetched, or drawn images where nothing can be."""
