"""Fetches one image from its URL, with limits on bytes, time and hosts.

Redirects are followed here and not by httpx, as the scheme, host and address of each must be checked. Credentials in a
URL are sent to its own origin only. Proxies of the environment are not used: they resolve names themselves, so that
addresses could not be checked.
"""

from __future__ import annotations

import re
import ssl
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

import httpcore
import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter
from tenacity.nap import sleep_using_event

from images.fetch.hosts import Hosts
from images.fetch.network import Deadline, GuardedNetwork, until
from images.fetch.urls import credentials, parse_url, redirected, shown_url
from images.limits import ImageLimits, image_format
from images.settings import ImageSettings
from schemas import ImageNotFound, ImageTooLarge, ImageUnreachable, NotAImage

MAX_REDIRECTS = 5
ATTEMPTS = 4
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
"""Without a byte, after which a server counts as stalled."""
MAX_UNREAD = 64 * 2**10
"""Bytes of a body that nobody wants which are read all the same."""
MAX_VALIDATOR = 1_000
IDLE_SECONDS = 10.0
"""That an unused connection is kept."""
SIGNATURE = 128
"""Bytes that tell what kind of image it is."""

_REDIRECTS = {301, 302, 303, 307, 308}
_LATER = {408, 425, 429}
"""Besides 5xx: the server asks for patience."""
_HEADERS = {
    # No kind is named, so that servers that convert to what is asked for give the original.
    "Accept": "image/*, */*;q=0.1",
    # What comes is what was sent: nothing is unpacked here, so no bomb goes off.
    "Accept-Encoding": "identity",
    "User-Agent": "StoreLens/0.1",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """``data`` is None where the server says that nothing changed since ``etag`` and ``last_modified``."""

    data: bytes | None
    etag: str | None
    last_modified: str | None


class _TryAgain(ImageUnreachable):
    """What a moment may heal."""

    retry_after: float | None = None


class Fetcher:
    """Fetches images; any number of threads may call at once.

    Args:
        patient: Whether an image's time begins when its host has a turn for it, as in a job that has
            thousands, or when it is asked for, as while somebody waits.
        network: Where connections are made, other than in the internet with the system's names.
        backoff: Seconds before the second attempt; doubled for each further one.
    """

    def __init__(
        self,
        settings: ImageSettings,
        limits: ImageLimits,
        *,
        patient: bool = True,
        network: GuardedNetwork | None = None,
        backoff: float = 0.5,
    ) -> None:
        self._seconds = settings.picture_seconds
        self._limits = limits
        self._patient = patient
        self._hosts = Hosts(settings.picture_hosts, settings.picture_connections)
        self._backoff = wait_exponential_jitter(multiplier=backoff, max=16 * backoff, jitter=backoff)
        self._closed = threading.Event()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=sys.maxsize,  # ``Hosts`` bounds them, host by host
            max_keepalive_connections=64,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=network or GuardedNetwork(private=settings.picture_private_addresses),
        )

    def fetch(self, source: str, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """The image at a URL; with ``etag`` or ``last_modified``, of before, only if it is another now.

        Raises:
            ImageSourceUnsupported: no http or https URL, or a redirect to something else.
            ImageHostRefused: the settings do not allow the host, the address, or one that it redirects to.
            ImageNotFound: the server says that it is not there, or not for us.
            ImageTooLarge: more bytes than the limits allow.
            NotAImage: something else came.
            ImageUnreachable: none of this, but no image either, in the time there was.
        """
        url = parse_url(source)
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in conditions.items() if value is not None}
        deadline = Deadline(self._seconds)
        attempts = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=lambda state: (
                state.attempt_number >= ATTEMPTS or self._closed.is_set() or state.upcoming_sleep > deadline.left()
            ),
            wait=self._wait,
            sleep=sleep_using_event(self._closed),
            reraise=True,
        )
        with until(deadline):
            return attempts(self._follow, url, headers, deadline)

    def close(self) -> None:
        """Also ends the waiting of those who would try again."""
        self._closed.set()
        self._pool.close()

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, _TryAgain) and error.retry_after else 0.0
        return asked + self._backoff(state)

    def _follow(self, first: httpx.URL, headers: dict[str, str], deadline: Deadline) -> Fetched:
        if self._closed.is_set():
            raise ImageUnreachable(f"{shown_url(first)} was not fetched: the job has ended", field="image")
        url = first
        for _ in range(MAX_REDIRECTS + 1):
            host = url.raw_host.decode("ascii")
            self._hosts.check(host)
            with self._hosts.turn(host, deadline, self._patient):
                answer = self._ask(first, url, headers)
            if isinstance(answer, Fetched):
                return answer
            url = answer
        raise ImageUnreachable(
            f"{shown_url(first)} redirects more than {MAX_REDIRECTS} times; name the image's own URL", field="image"
        )

    def _ask(self, first: httpx.URL, url: httpx.URL, headers: dict[str, str]) -> Fetched | httpx.URL:
        """What is there, or where to look instead."""
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=list(({"Host": url.netloc} | _HEADERS | headers | credentials(first, url)).items()),
            extensions={"timeout": {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS}},
        )
        try:
            response = self._pool.handle_request(request)
            try:
                return self._answer(url, response, asked_if_changed=bool(headers))
            finally:
                response.close()
        except httpcore.TimeoutException as error:
            raise _TryAgain(f"{shown_url(url)} did not come in time: {_reason(error)}", field="image") from error
        except httpcore.ConnectError as error:
            message = f"{shown_url(url)} cannot be reached: {_reason(error)}"
            if _bad_certificate(error):
                raise ImageUnreachable(message, field="image") from error
            raise _TryAgain(message, field="image") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _TryAgain(f"{shown_url(url)} broke off: {_reason(error)}", field="image") from error

    def _answer(self, url: httpx.URL, response: httpcore.Response, *, asked_if_changed: bool) -> Fetched | httpx.URL:
        headers = httpx.Headers(response.headers)
        status = response.status
        if status != 200:
            _finish(response, headers)
        if status in _REDIRECTS and headers.get("location"):
            return redirected(url, headers["location"])
        if status == 304 and asked_if_changed:
            return Fetched(None, _validator(headers.get("etag")), _validator(headers.get("last-modified")))
        if status >= 500 or status in _LATER:
            failure = _TryAgain(f"{shown_url(url)} answers {_status(status)}", field="image")
            failure.retry_after = _seconds(headers.get("retry-after"))
            raise failure
        if status >= 400:
            raise ImageNotFound(f"{shown_url(url)} answers {_status(status)}", field="image")
        if status != 200:
            raise NotAImage(f"{shown_url(url)} answers {_status(status)}, and no image", field="image")
        data = self._read(url, response, headers)
        return Fetched(data, _validator(headers.get("etag")), _validator(headers.get("last-modified")))

    def _read(self, url: httpx.URL, response: httpcore.Response, headers: httpx.Headers) -> bytes:
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self._limits.max_bytes:
            raise self._too_large(url)
        data = bytearray()
        recognised = False
        for chunk in response.iter_stream():
            data += chunk
            if len(data) > self._limits.max_bytes:
                raise self._too_large(url)
            if not recognised and len(data) >= SIGNATURE:
                _check_image(url, data, headers)  # a video, or a page, is not read to its end
                recognised = True
        _check_image(url, data, headers)
        return bytes(data)

    def _too_large(self, url: httpx.URL) -> ImageTooLarge:
        return ImageTooLarge(f"{shown_url(url)} has more than {self._limits.max_bytes:,} bytes", field="image")


def _check_image(url: httpx.URL, data: bytes | bytearray, headers: httpx.Headers) -> None:
    """By its first bytes: what the server calls it does not matter."""
    if image_format(bytes(data[:SIGNATURE])) is not None:
        return
    encoding = headers.get("content-encoding", "identity")
    packed = f", packed with {encoding[:40]!a} though that was not asked for" if encoding != "identity" else ""
    kind = ascii(headers.get("content-type", "no type")[:80]).strip("'")
    what = f"{kind}{packed}" if data else "nothing"
    raise NotAImage(f"{shown_url(url)} gives no image that can be read here but {what}", field="image")


def _finish(response: httpcore.Response, headers: httpx.Headers) -> None:
    """Read a short body to its end, so that the connection can be used again."""
    length = headers.get("content-length", "")
    if response.status == 304 or (length.isdecimal() and int(length[:20]) <= MAX_UNREAD):
        with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
            response.read()


def _validator(value: str | None) -> str | None:
    """What can be sent back as it came."""
    return value if value and value.isascii() and value.isprintable() and len(value) <= MAX_VALIDATOR else None


def _seconds(retry_after: str | None) -> float | None:
    """Of a Retry-After header; dates are left to the backoff."""
    return float(retry_after) if retry_after and re.fullmatch(r"[0-9]{1,6}", retry_after) else None


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _bad_certificate(error: BaseException) -> bool:
    causes: Sequence[BaseException | None] = (error, error.__cause__, error.__context__)
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)


def _reason(error: Exception) -> str:
    return ascii(str(error).partition("\n")[0][:200]).strip("'\"") or type(error).__name__
