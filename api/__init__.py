"""HTTP -> search. ``create_app(settings)`` is the whole service; ``python -m api`` runs it."""

from api.app import create_app
from api.settings import ApiSettings

__all__ = ["ApiSettings", "create_app"]
