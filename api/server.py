"""The HTTP server, as it hears signals."""

from __future__ import annotations

import os
from types import FrameType

import uvicorn


class Server(uvicorn.Server):
    """Stops when what is being answered is answered; while it starts, which may take a model's loading, at once."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:
            os._exit(128 + sig)
        super().handle_exit(sig, frame)
