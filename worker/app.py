"""The Celery instance and its configuration: `celery -A worker.app worker` works.

One process computes: a parent that never imports torch hands batches to one spawned child and replaces it if it dies.
Messages are acknowledged early, since the claim in the ledger is the acknowledgement; Redis needs no persistence.
"""

import logging
import ssl
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger

from settings import read_settings
from worker.embedded_redis import socket_url
from worker.supervisor import Supervisor

QUEUE = "tweetspan"

settings = read_settings()
app = Celery("tweetspan", broker=settings.broker_url or socket_url(settings.home), include=["worker.tasks"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_default_queue=QUEUE,
    task_acks_late=False,
    worker_pool="prefork",
    worker_pool_start_method="spawn",  # CUDA must not be touched before a fork
    worker_concurrency=1,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_hijack_root_logger=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the lease decides, not the connection
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "socket_timeout": 30,  # the default waits for ever on a half-open connection
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 15,
    },
)
if app.conf.broker_url.startswith("rediss://") and "ssl_cert_reqs" not in app.conf.broker_url:
    app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}  # kombu would not verify the certificate
app.steps["worker"].add(Supervisor)


@after_setup_logger.connect
def _hush(**_: Any) -> None:
    for name in ("alembic", "celery.worker.strategy", "celery.app.trace"):  # each look, message and result
        logging.getLogger(name).setLevel(logging.WARNING)


def run_worker(until_empty: bool, log_level: str) -> int:
    """Run a worker in this process until it is told to stop, or until the ledger is empty; return the exit code."""
    worker = app.Worker(
        until_empty=until_empty, loglevel=log_level, quiet=True, without_mingle=True, without_gossip=True
    )  # workers meet in the ledger, not over Redis
    worker.start()
    return int(worker.exitcode or 0)
