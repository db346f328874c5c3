"""What a worker's parent process does beside Celery: keep the embedded Redis, dispatch, beat, stop when all is done."""

import logging
import os
import socket
import threading
from contextlib import ExitStack
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state
from sqlalchemy.exc import SQLAlchemyError

from db import ledger, workers
from db.session import Database, open_database, reason
from settings import read_settings
from worker.dispatch import connect, dispatch
from worker.embedded_redis import embedded_redis

_EVERY = 2.0  # seconds between two rounds

log = logging.getLogger(__name__)


class Supervisor(bootsteps.StartStopStep):
    """A thread of the parent process. It never imports torch: a CUDA error must not take it along."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, until_empty: bool = False, **options: Any) -> None:
        super().__init__(parent, until_empty=until_empty, **options)
        self.until_empty = until_empty
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()
        self._resources = ExitStack()
        self._thread: threading.Thread | None = None

    def start(self, parent: Any) -> None:
        """Open the database and Redis, then start the rounds; before the consumer, which needs Redis."""
        settings = read_settings()
        broker_url = settings.broker_url or self._resources.enter_context(embedded_redis(settings.home))
        database = open_database(settings.database_url)
        self._resources.callback(database.close)
        client = connect(broker_url)
        self._resources.callback(client.close)
        self._thread = threading.Thread(target=self._rounds, args=(parent.app, database, client), name="supervisor")
        self._thread.start()

    def stop(self, parent: Any) -> None:
        """End the rounds and let go of the database and Redis."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._resources.close()

    terminate = stop

    def _rounds(self, app: Any, database: Database, client: redis.Redis) -> None:
        while True:
            try:
                self._round(app, database, client)
            except Exception as error:  # a database or Redis that is away, above all: the thread must outlive it
                log.warning("no dispatch this time: %s: %s", type(error).__name__, reason(error))
            if self._stop.wait(_EVERY):
                break
        self._say_goodbye(database)

    def _round(self, app: Any, database: Database, client: redis.Redis) -> None:
        with database.write_session() as session:
            workers.beat(session, self.name)
        task = app.tasks["tweetspan.annotate"]
        dispatch(database, client, app.conf.task_default_queue, lambda batch_id: task.apply_async((batch_id,)))
        if self.until_empty:
            with database.read_session() as session:
                if ledger.is_empty(session):
                    state.should_stop = 0  # a warm shutdown; the event loop looks at it every second

    def _say_goodbye(self, database: Database) -> None:
        try:
            with database.write_session() as session:
                workers.stop(session, self.name)
        except SQLAlchemyError as error:
            log.warning("the heartbeat was not signed off: %s", reason(error))
