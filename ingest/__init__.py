"""From a catalog to an index: ``python -m ingest``, or ``ingest.job.run`` with the settings of one job."""
