"""The Celery instance and its configuration: `celery -A worker.app worker` works.

One process computes: a parent that never imports torch hands batches to one spawned child and replaces it if it dies.
Messages are acknowledged early, since the claim in the ledger is the acknowledgement; Redis needs no persistence.
"""

import ssl
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import TRANSPORT_ALIASES

from settings import read_settings
from worker.embedded_redis import socket_url
from worker.log_lines import early_format, log_to_stderr
from worker.messages import QUEUE
from worker.supervisor import Supervisor

TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "worker.transport:Transport"))  # looks at each message

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
    worker_disable_prefetch=True,  # a message that waits in a busy worker is one that no idle worker gets
    worker_lost_wait=1.0,  # seconds after a child's death, at least, until its batch is returned
    worker_send_task_events=False,
    worker_enable_remote_control=False,  # else whoever reaches Redis may stop workers; health comes from the ledger
    worker_hijack_root_logger=True,
    worker_log_format=early_format(settings.log_format),
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the lease decides, not the connection
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_channel_error_retry=True,  # a Redis that answers with an error is waited for, too
    broker_transport_options={
        "ack_emulation": False,  # the ledger keeps what is not done; nothing is restored from Redis
        "socket_timeout": 30,  # the default waits for ever on a half-open connection
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 15,
    },
)
if app.conf.broker_url.startswith("rediss://") and "ssl_cert_reqs" not in app.conf.broker_url:
    app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}  # kombu would not verify the certificate
app.steps["worker"].add(Supervisor)


@setup_logging.connect
def _log(loglevel: int, **_: Any) -> None:
    log_to_stderr(settings.log_format, loglevel)


def run_worker(until_empty: bool, log_level: str) -> int:
    """Run a worker in this process until it is told to stop, or until the ledger is empty; return the exit code."""
    log_to_stderr(settings.log_format, log_level.upper())  # Celery warns before it says that logging be set up
    worker = app.Worker(until_empty=until_empty, loglevel=log_level, quiet=True)
    worker.start()
    return int(worker.exitcode or 0)
