"""Finds the folder of a model by its name; fetches it from the hub where it is not on this machine."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from pathlib import Path

from schemas import ModelNotFound

_ORGANISATION = "sentence-transformers"
PROBE_SECONDS = 3.0
_NOT_NEEDED = ["onnx/*", "openvino/*", "*.onnx", "*.h5", "*.msgpack", "*.ot", "*.md", "*.png", "*.jpg"]


def find_directory(model: str) -> Path:
    """The directory of a model: itself, a snapshot in the local cache, or one fetched now.

    Args:
        model: A directory, or a hub name; one without an organisation belongs to sentence-transformers.

    Raises:
        ModelNotFound: within seconds, saying what was tried and what to do.
    """
    path = Path(model).expanduser()
    if model.strip() and path.is_dir():
        if not _is_model(path):
            raise ModelNotFound(f"{path} holds no model: neither modules.json nor config.json is in it")
        return path
    if path.exists() or model.startswith((".", "/", "~")) or model.count("/") > 1 or not model.strip():
        raise ModelNotFound(f"there is no model directory {model!r}; give a directory, a hub name, or builtin")
    return _from_hub(model if "/" in model else f"{_ORGANISATION}/{model}")


def _from_hub(name: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        snapshot = Path(snapshot_download(name, local_files_only=True))
        if _is_model(snapshot):
            return snapshot
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise ModelNotFound(f"{name!r} is neither a directory nor a name on the model hub: {error}") from error

    tried = f"model {name} is not in the local cache ({constants.HF_HUB_CACHE})"
    advice = (
        "Connect and try again, or copy the model's directory here and give its path, "
        "or use the model that needs no download: builtin"
    )
    if constants.HF_HUB_OFFLINE:
        raise ModelNotFound(f"{tried}, and HF_HUB_OFFLINE forbids fetching it. {advice}.")
    # The hub's client would retry for more than a minute before it gives up: ask once, briefly, first.
    if reason := _why_unreachable(constants.ENDPOINT):
        raise ModelNotFound(f"{tried}, and the hub at {constants.ENDPOINT} cannot be reached ({reason}). {advice}.")
    try:
        return Path(snapshot_download(name, ignore_patterns=_NOT_NEEDED))
    except (HfHubHTTPError, OSError) as error:
        summary = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelNotFound(
            f"{tried}, and fetching it from {constants.ENDPOINT} failed: {summary} {advice}."
        ) from error


def _is_model(directory: Path) -> bool:
    return (directory / "modules.json").is_file() or (directory / "config.json").is_file()


def _why_unreachable(endpoint: str) -> str | None:
    """None when the endpoint answers in time, whatever it says; proxies of the environment are used."""
    # In a thread, because no timeout of a socket ends a name lookup.
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(_ask(endpoint)), daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answers[0] if answers else f"no answer within {PROBE_SECONDS:g} s"


def _ask(endpoint: str) -> str | None:
    try:
        urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        # A proxy that refuses answers in the hub's place.
        return f"HTTP {error.code}" if error.code in (403, 407, 502, 503, 504) else None
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    return None
