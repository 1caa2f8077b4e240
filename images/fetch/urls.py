"""URLs as they are asked for, as they are redirected to, and as they are shown."""

from __future__ import annotations

import base64
import re

import httpx

from images.limits import with_scheme
from schemas import MAX_URL, ImageSourceUnsupported


def shown_url(url: httpx.URL) -> str:
    """As messages and logs have it: no credentials, nothing of the query, which may hold a signature."""
    shown = str(url.copy_with(username="", password="", query=None, fragment=None))
    shown = shown if len(shown) <= 200 else shown[:199] + "…"
    return shown + "?…" if url.query else shown


def parse_url(source: str) -> httpx.URL:
    """A URL that can be asked for, https where it has no scheme. Raises ImageSourceUnsupported."""
    if len(source) > MAX_URL:
        raise ImageSourceUnsupported(f"{_cut(source)} is longer than {MAX_URL:,} characters", field="image")
    try:
        url = httpx.URL(with_scheme(source))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ImageSourceUnsupported(f"{_cut(source)} is no URL that can be read", field="image") from error
    return _checked(url, "is no URL of a picture: write http or https, a host and a path")


def _cut(source: str) -> str:
    """What cannot be parsed, without what may be a secret."""
    shown = re.sub(r"//[^/]*@", "//", source.partition("?")[0])
    return ascii(shown if len(shown) <= 200 else shown[:199] + "…")


def _checked(url: httpx.URL, wrong: str) -> httpx.URL:
    if url.scheme not in ("http", "https") or not url.raw_host or url.port == 0 or (url.port or 0) > 65_535:
        raise ImageSourceUnsupported(f"{shown_url(url)} {wrong}", field="image")
    return url


def redirected(url: httpx.URL, location: str) -> httpx.URL:
    """Where a Location header leads. Raises ImageSourceUnsupported."""
    try:
        target = url.join(location) if len(location) <= MAX_URL else httpx.URL()
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ImageSourceUnsupported(f"{shown_url(url)} redirects to what is no URL", field="image") from error
    return _checked(target, f"is where {shown_url(url)} redirects to; only http and https are followed")


def credentials(first: httpx.URL, url: httpx.URL) -> dict[str, str]:
    """The header for those in the ``first`` URL, for its own origin; what a redirect writes into a URL is ignored."""
    origins = [(of.scheme, of.raw_host, of.port) for of in (first, url)]
    if not first.userinfo or origins[0] != origins[1]:
        return {}
    written = base64.b64encode(f"{first.username}:{first.password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {written}"}
