"""Numbers about calls for Prometheus: routes, methods, statuses and durations, nothing personal."""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest

ANSWERS = Counter("jauap_http_answers", "Calls answered.", ("method", "route", "status"))
SECONDS = Histogram("jauap_http_seconds", "How long calls took.", ("route",))
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts a call; `route` is a declared address, never what a caller wrote."""
    ANSWERS.labels(method if method in METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def shown() -> bytes:
    """All numbers of this process, in Prometheus' text format."""
    return generate_latest(REGISTRY)
