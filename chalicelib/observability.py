"""Logger and metrics around every handler. No tracer: it costs 0.4 s of import."""

import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from chalice import Chalice, ConvertToMiddleware

from chalicelib.settings import settings

# Most requests count nothing, and that is no reason for a line in the log.
warnings.filterwarnings("ignore", "No application metrics to publish", UserWarning)

logger = Logger(service="tuan")
metrics = Metrics(namespace="Tuan", service=f"tuan-{settings.stage}")


def count(name: str, value: int = 1) -> None:
    """Add `value` to metric `name`; counting nothing writes nothing."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure_s(name: str, seconds: int) -> None:
    """Tell how long something is, at this moment, as metric `name`."""
    metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=seconds)


def install(app: Chalice) -> None:
    """Wrap every handler declared in app.py. The first registered is outermost."""
    correlation_id = "requestContext.requestId || id"  # an HTTP request, or an event
    app.register_middleware(
        ConvertToMiddleware(
            logger.inject_lambda_context(correlation_id_path=correlation_id, clear_state=True)
        )
    )
    app.register_middleware(ConvertToMiddleware(metrics.log_metrics))
