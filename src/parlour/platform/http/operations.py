"""What operators ask of a process: health, readiness and metrics."""

from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from parlour.platform.health import Health, HealthReport

_TAGS = ["operations"]

Checked = NamedDependency[SkipValidation[Health]]


@get("/health", tags=_TAGS, operation_id="health", summary="Each dependency and its state")
async def get_health(health: Checked) -> Response[HealthReport]:
    """200 when all is well or only degraded, 503 when something essential is down."""
    report = await health.report()
    return Response(report, status_code=HTTP_503_SERVICE_UNAVAILABLE if report.status == "down" else HTTP_200_OK)


@get("/health/live", tags=_TAGS, operation_id="live", summary="Is the process alive?", sync_to_thread=False)
def get_live() -> dict[str, str]:
    """200 as long as the event loop turns."""
    return {"status": "ok"}


@get("/health/ready", tags=_TAGS, operation_id="ready", summary="May traffic be sent here?")
async def get_ready(health: Checked) -> Response[HealthReport]:
    """503 while something essential is down and while the process drains."""
    report = await health.report()
    ready = report.status in ("ok", "degraded")
    return Response(report, status_code=HTTP_200_OK if ready else HTTP_503_SERVICE_UNAVAILABLE)


@get(
    "/metrics",
    tags=_TAGS,
    operation_id="metrics",
    summary="Prometheus metrics",
    media_type=MediaType.TEXT,
    sync_to_thread=False,
)
def get_metrics() -> Response[bytes]:
    """The Prometheus text format."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


def router(health: Health) -> Router:
    """Return the routes of operations."""
    return Router(
        "/",
        route_handlers=[get_health, get_live, get_ready, get_metrics],
        dependencies={"health": Provide(lambda: health, sync_to_thread=False)},
    )
