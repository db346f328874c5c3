"""What a worker's parent process does beside Celery: keep the embedded Redis, dispatch, beat, return the batches of
children that died, stop when all is done."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import redis
from billiard import active_children
from billiard.exceptions import WorkerLostError
from celery import bootsteps
from celery.signals import task_failure
from celery.worker import state
from sqlalchemy.exc import SQLAlchemyError

from db import events, ledger, workers
from db.events import Event
from db.session import Database, open_database, reason
from settings import Settings, read_settings
from worker.dispatch import FULL, connect, dispatch
from worker.embedded_redis import embedded_redis, revive
from worker.log_lines import about
from worker.messages import QUEUE
from worker.naming import process_name, worker_name
from worker.watchdog import Watchdog, begin_anew

_EVERY = 1.0  # seconds between two rounds
_BUSY = 0.2  # seconds between them at least: a fast worker must not wait for us
_BEAT = 2.0  # seconds between two heartbeats
_PATIENCE = 60.0  # seconds that a warm shutdown leaves batches to be finished; then the one being tagged is given back

log = logging.getLogger(__name__)


class Supervisor(bootsteps.StartStopStep):
    """A thread of the parent process. It never imports torch: a CUDA error must not take it along."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, until_empty: bool = False, **options: Any) -> None:
        super().__init__(parent, until_empty=until_empty, **options)
        # Workers meet in the ledger: they listen to nothing on Redis but the queue.
        parent.options.update(without_mingle=True, without_gossip=True, without_heartbeat=True)
        self.until_empty = until_empty
        self.name = worker_name()
        self._orphans: deque[tuple[int, str]] = deque()  # batches whose process died, and how
        self._silent: set[str] = set()  # processes that hold batches and did not live when they were looked at last
        self._watchdog = Watchdog()
        self._wake = threading.Event()
        self._is_stopping = False
        self._beaten_at = self._dispatched_at = float("-inf")
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
        task_failure.connect(self._on_failure)
        arguments = (settings, database, client)
        self._thread = threading.Thread(target=self._rounds, args=arguments, name="supervisor")
        self._thread.start()

    def stop(self, parent: Any) -> None:
        """End the rounds and let go of the database and Redis; Celery then waits for what is in hand."""
        hurry = threading.Timer(_PATIENCE, _stop_children)
        hurry.daemon = True
        hurry.start()
        self._is_stopping = True
        self._wake.set()
        if self._thread:
            self._thread.join()
        self._resources.close()

    terminate = stop

    def _on_failure(self, exception: BaseException, args: tuple[Any, ...] = (), **_: Any) -> None:
        if isinstance(exception, WorkerLostError) and args and isinstance(args[0], int):
            how = str(exception).partition(" Job: ")[0]  # without a number that makes each end another reason
            self._orphans.append((args[0], how))
            self._wake.set()

    def _rounds(self, settings: Settings, database: Database, client: redis.Redis) -> None:
        while True:
            pause, began = _EVERY, time.monotonic()
            try:
                pause = pause_after(self._round(database, client), began - self._dispatched_at)
            except redis.RedisError as error:
                log.warning("no dispatch this time: Redis: %s", error)
                self._revive(settings)
            except Exception as error:  # a database that is away, above all: the thread must outlive it
                log.warning("no dispatch this time: %s: %s", type(error).__name__, reason(error))
            self._dispatched_at = began
            if self._is_stopping:
                break
            self._wake.wait(pause)
            self._wake.clear()
        self._say_goodbye(database)

    def _round(self, database: Database, client: redis.Redis) -> int:
        """Do everything once and return how many batches were published."""
        if time.monotonic() - self._beaten_at >= _BEAT:
            with database.write_session() as session:
                workers.beat(session, self.name)
            self._beaten_at = time.monotonic()
            self._look_for_silent_deaths(database)
        self._return_orphans(database)
        published = dispatch(database, client)
        if self._watchdog.is_stuck(int(client.llen(QUEUE))) and not self._is_stopping:
            begin_anew()
        if self.until_empty:
            with database.read_session() as session:
                if ledger.is_empty(session):
                    state.should_stop = 0  # a warm shutdown; the event loop looks at it every second
        return published

    def _return_orphans(self, database: Database) -> None:
        while self._orphans:
            batch_id, how = self._orphans[0]
            held = self._held_by_the_dead(database)  # what the dead one stored behind its task's back, too
            self._return(database, held, how)
            if batch_id not in held:  # before the claim, while the model was loaded, or after it was given back
                with database.write_session() as session:
                    ledger.note_error(session, batch_id, how)
            self._orphans.popleft()

    def _look_for_silent_deaths(self, database: Database) -> None:
        """Return what is held by a process that died without a task, as it stored a batch: Celery tells nobody.

        Only at the second look, since it tells of others a second later, and how they died.
        """
        held = self._held_by_the_dead(database)
        self._return(database, {one: who for one, who in held.items() if who in self._silent}, "it told nobody how")
        self._silent = set(held.values())

    def _held_by_the_dead(self, database: Database) -> dict[int, str]:
        with database.read_session() as session:
            held = ledger.held(session, self.name)
        living = _living()  # looked at afterwards: who holds a batch was alive before
        return {batch_id: holder for batch_id, holder in held.items() if holder not in living}

    def _return(self, database: Database, held: Mapping[int, str], how: str) -> None:
        for batch_id, holder in sorted(held.items()):
            with about(batch_id), database.write_session() as session:
                if ledger.fail_orphan(session, batch_id, holder, how):
                    events.count(session, self.name, {Event.PROCESS_DEATHS: 1})
                    log.warning("batch %d goes back: its process died: %s", batch_id, how)

    def _revive(self, settings: Settings) -> None:
        if settings.broker_url is None:
            try:
                revive(settings.home)
            except Exception as error:
                log.warning("the embedded Redis cannot be started again: %s", error)

    def _say_goodbye(self, database: Database) -> None:
        try:
            self._return_orphans(database)
            with database.write_session() as session:
                workers.stop(session, self.name)
        except SQLAlchemyError as error:
            log.warning("the heartbeat was not signed off: %s", reason(error))


def pause_after(published: int, seconds: float) -> float:
    """Return how long to wait: until half of what Redis holds is gone, if so many batches go in so many seconds."""
    return min(max(seconds * FULL / 2 / published, _BUSY), _EVERY) if published else _EVERY


def _living() -> set[str]:
    """Name the processes of this worker that live: the batch may be in the hands of the dead one's successor."""
    return {process_name(child.pid) for child in active_children() if child.is_alive()}


def _stop_children() -> None:
    for child in active_children():
        log.warning("process %d is told to give back what it tags", child.pid)
        child.terminate()
