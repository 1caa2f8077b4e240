"""Images from URLs: ``fetcher`` gets one safely, ``cache`` keeps what came and asks again when it is old."""
