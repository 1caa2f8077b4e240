"""Object storage, and whatever else fsspec reads: s3://, gs://, hf://.

Credentials come from the storage's own settings (AWS_*, GOOGLE_APPLICATION_CREDENTIALS, HF_TOKEN).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from images.file_names import spellings
from images.limits import ImageLimits, cut, relative_path, too_large
from images.spool import spool
from schemas import CatalogError, ImageError, ImageNotFound, ImageSourceUnsupported

_REMOTE = re.compile(r"([a-z][a-z0-9+.-]*)://", re.I)
_BRINGS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
# file: is a path; the web has a way of its own, which is careful about whom it asks.
_NOT_HERE = frozenset({"file", "local", "http", "https", "ftp", "data"})


def is_remote(location: str) -> bool:
    match = _REMOTE.match(location)
    return match is not None and match[1].lower() not in _NOT_HERE


def filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it.

    Raises:
        CatalogError: no such kind of storage, or its library is not installed.
    """
    import fsspec  # slow to import, and only these catalogs need it

    scheme = url.partition("://")[0].lower()
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        library = _BRINGS.get(scheme)
        what = f"install it: pip install {library}" if library else str(error)
        raise CatalogError(f"{scheme}:// needs a library that is not installed here; {what}") from error
    except ValueError as error:
        raise CatalogError(f"{cut(url)} is no address of a kind that is known here: {error}") from error
    return fs, str(path)


def download(url: str) -> IO[bytes]:
    """An object as a local file, which is gone when it is closed. Raises CatalogError."""
    fs, path = filesystem(url)
    try:
        with fs.open(path, "rb") as remote:
            return spool(remote)
    except Exception as error:  # each storage has errors of its own
        raise CatalogError(f"cannot read {cut(url)}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What went wrong, in one line of bounded length."""
    if isinstance(error, FileNotFoundError):
        return "there is nothing of that name"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


class RemoteRoot:
    """A ``ImageRoot`` on a prefix of object storage.

    Marks come from listings: one for each folder at the prefix that images are in, when it is first
    asked about, so that ten thousand images cost ten requests instead of as many.
    """

    def __init__(self, url: str, limits: ImageLimits) -> None:
        self._url = url.rstrip("/")
        self._limits = limits
        self._lock = threading.Lock()
        self._opened: tuple[Any, str] | None = None
        self._listed: dict[str, dict[str, str]] = {}

    def version_tag(self, source: str) -> str | None:
        try:
            name = relative_path(source)
            fs, path = self._filesystem()
        except (ImageError, CatalogError):
            return None
        tags = (self._version_tags(fs, path, spelt).get(f"{path}/{spelt}") for spelt in spellings(name))
        return next(filter(None, tags), None)

    def _version_tags(self, fs: Any, path: str, name: str) -> dict[str, str]:
        """Of all that is in the same folder at the prefix."""
        top = name.partition("/")[0] if "/" in name else ""
        with self._lock:
            if top not in self._listed:
                try:
                    self._listed[top] = _version_tags(fs, path, top)
                except Exception:  # listing may be forbidden where reading is not
                    self._listed[top] = {}
            return self._listed[top]

    def read(self, source: str) -> bytes:
        name = relative_path(source)
        limit = self._limits.max_bytes
        try:
            fs, path = self._filesystem()
            data = _cat(fs, [f"{path}/{spelt}" for spelt in spellings(name)], limit + 1)
        except CatalogError as error:
            raise ImageSourceUnsupported(error.message, field="image") from error
        except ImageError:
            raise
        except Exception as error:
            raise ImageNotFound(f"{cut(source)} cannot be read: {reason(error)}", field="image") from error
        if len(data) > limit:
            raise too_large(limit)
        return data

    def close(self) -> None:
        """Connections belong to fsspec, which shares them."""

    def _filesystem(self) -> tuple[Any, str]:
        with self._lock:
            if self._opened is None:
                fs, path = filesystem(self._url)
                self._opened = fs, path.rstrip("/")
            return self._opened


def _cat(fs: Any, paths: Sequence[str], end: int) -> bytes:
    """The start of the first object that is there, in one request each."""
    for path in paths[:-1]:
        with suppress(FileNotFoundError):
            return bytes(fs.cat_file(path, start=0, end=end))
    return bytes(fs.cat_file(paths[-1], start=0, end=end))


def _version_tags(fs: Any, prefix: str, top: str) -> dict[str, str]:
    if top:
        found = fs.find(f"{prefix}/{top}", detail=True).items()
    else:
        found = [(info["name"], info) for info in fs.ls(prefix, detail=True)]
    return {name: version_tag for name, info in found if (version_tag := _version_tag(info))}


def _version_tag(info: Mapping[str, Any]) -> str | None:
    for name in ("ETag", "etag", "md5Hash", "blob_id"):
        if info.get(name):
            return str(info[name]).strip('"')
    when = next((info[name] for name in ("mtime", "LastModified", "updated", "created") if info.get(name)), None)
    return None if when is None else f"{info.get('size')}-{when}"
