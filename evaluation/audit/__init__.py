"""Whether an index is in order: looked at, and nothing changed."""

from evaluation.audit.audit import audit
from evaluation.audit.drift import drift

__all__ = ["audit", "drift"]
