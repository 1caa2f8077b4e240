"""Prometheus metrics of one app."""

from __future__ import annotations

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Each app has a registry of its own, so that two in one process (as in tests) do not share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "storelens_http_requests",
            "Requests by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "storelens_http_seconds", "Time to answer, by route.", ["route"], buckets=_BUCKETS, registry=self.registry
        )
        self.encode_seconds = Histogram(
            "storelens_encode_seconds", "Time a search spent encoding.", buckets=_BUCKETS, registry=self.registry
        )
        self.search_seconds = Histogram(
            "storelens_search_seconds", "Time a search spent beyond encoding.", buckets=_BUCKETS, registry=self.registry
        )
        self.products = Gauge("storelens_products", "Products in the generation that serves.", registry=self.registry)

    def render(self) -> bytes:
        return generate_latest(self.registry)


class Measure:
    """Counts and times every request, and adds the headers that every response has."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            # The route's own path, not the one asked for: ids must not become label values.
            route = getattr(scope.get("route"), "path", "other")
            self.metrics.requests.labels(route, scope["method"], status).inc()
            self.metrics.seconds.labels(route).observe(perf_counter() - started)
