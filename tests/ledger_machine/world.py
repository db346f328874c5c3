"""What surrounds the ledger and cannot be trusted: a connection that breaks, a Redis that forgets, workers' clocks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from db.session import Database
from tests.ledger_tools import FakeClock
from worker.messages import fresh_message, read_batch_id

ANSWER_LOST = 99  # more statements than any transaction has: what breaks off is the answer to the commit


class Broken(Exception):
    """The connection broke, or the process died: the machine decides which by what the worker does next."""


@dataclass(frozen=True)
class Outcome:
    """What became of a call: whether it committed, whether it was broken off, and what it returned if not."""

    committed: bool
    broken: bool
    value: Any = None


class BreakingDatabase(Database):
    """A database whose connection breaks, once, before a chosen statement or commit.

    If there are fewer of them, it breaks when the first commit has succeeded: its answer is lost.
    """

    def __init__(self, engine: Engine) -> None:
        event.listen(engine, "before_cursor_execute", self._before_statement)
        event.listen(engine, "commit", self._before_commit)
        super().__init__(engine)
        self._left: int | None = None
        self._commits = 0

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        with super().write_session() as session:
            yield session
        self._commits += 1
        if self._left is not None:
            raise Broken

    def attempt(self, break_before: int | None, function: Callable[..., Any], *arguments: Any) -> Outcome:
        """Call a function, breaking off before so many statements and commits have passed, or (None) not at all."""
        self._left, self._commits = break_before, 0
        try:
            value = function(*arguments)
        except Broken:
            return Outcome(self._commits > 0, True)
        finally:
            self._left = None
        return Outcome(self._commits > 0, False, value)

    def _before_statement(self, *arguments: Any) -> None:
        if not arguments[2].startswith("BEGIN"):
            self._pass()

    def _before_commit(self, _: Any) -> None:
        self._pass()

    def _pass(self) -> None:
        if self._left is not None:
            if self._left == 0:
                raise Broken
            self._left -= 1


@dataclass
class ForgetfulRedis:
    """The few things that dispatch asks of Redis. Messages are as Celery writes them."""

    messages: list[bytes] = field(default_factory=list)  # that which is taken first stands last
    published: list[int] = field(default_factory=list)
    pushes_left: int | None = None  # until the process dies that pushes
    keys: set[str] = field(default_factory=set)

    def push(self, batch_id: int) -> None:
        self.messages.append(fresh_message(batch_id))

    def lpush(self, queue: str, *messages: bytes) -> None:
        self._publish(messages)
        self.messages[:0] = reversed(messages)

    def rpush(self, queue: str, *messages: bytes) -> None:
        self._publish(messages)
        self.messages.extend(messages)

    def _publish(self, messages: tuple[bytes, ...]) -> None:
        if self.pushes_left == 0:
            raise Broken
        if self.pushes_left is not None:
            self.pushes_left -= 1
        self.published.extend(map(read_batch_id, messages))

    def pop(self, position: int) -> int:
        return read_batch_id(self.messages.pop(position % len(self.messages)))

    def ids(self) -> list[int]:
        return [read_batch_id(message) for message in self.messages]

    def wipe(self) -> None:
        self.messages.clear()
        self.keys.clear()

    def exists(self, name: str) -> int:
        return int(name in self.keys)

    def set(self, name: str, value: int, nx: bool) -> bool:
        is_new = name not in self.keys
        self.keys.add(name)
        return is_new

    def lrange(self, queue: str, first: int, last: int) -> list[bytes]:
        return self.messages[first : last + 1]

    def lock(self, name: str, timeout: float) -> "ForgetfulRedis":
        return self

    def acquire(self, blocking: bool) -> bool:
        return True

    def release(self) -> None:
        pass


@dataclass
class Clocks:
    """The database's clock, and that of the process whose code runs now, which is hours off."""

    database: FakeClock
    whose: str = "nobody"
    hours_off: dict[str, int] = field(default_factory=dict)

    def wall_time(self) -> float:
        return self.database.time + 3600 * self.hours_off.get(self.whose, 0)
