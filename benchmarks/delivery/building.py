"""Build the scene of a run: servers, network, workers and enqueuers; and take it down again."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery.enqueuers import Enqueuer
from benchmarks.delivery.fleet import Member
from benchmarks.delivery.postgresql_server import DATABASE, PostgresqlServer
from benchmarks.delivery.proxy import Link, Network
from benchmarks.delivery.redis_server import RedisServer
from benchmarks.delivery.reference import register_versions
from benchmarks.delivery.scene import Scene
from benchmarks.delivery.stream import Stream
from db.session import open_database
from settings import read_settings
from tagging.checkpoint import read_manifest
from tests.processes import environment


@dataclass(frozen=True)
class Size:
    """How much is disturbed; `lease` is in seconds."""

    workers: int = 4
    enqueuers: int = 2
    versions: int = 3
    lease: float = 30.0


@contextmanager
def built(seed: int, size: Size, folder: Path, model: Path | None = None) -> Iterator[Scene]:
    """Start everything and stop it at the end; all files are in the folder. Without a model the tagger is the fake."""
    with ExitStack() as stack:
        rng = random.Random(seed)
        redis = RedisServer(folder)
        stack.callback(redis.stop)
        postgresql = PostgresqlServer(folder)
        stack.callback(postgresql.stop)
        network = Network()
        stack.callback(network.close)
        database = open_database(read_settings({"TWEETSPAN_DATABASE_URL": postgresql.url}).database_url)
        stack.callback(database.close)
        artifact = {} if model is None else _artifact(model)
        versions = register_versions(database, size.versions, **artifact)
        scene = Scene(rng, size.lease, database, postgresql, redis, Stream(rng, folder), versions)

        disturbed = {"CHAOS_LEASE": str(size.lease), "CHAOS_REAL_MODEL": "1" if model else ""}

        def links() -> tuple[Link, Link]:
            return network.link(postgresql.socket), network.link(redis.socket)

        stack.callback(lambda: [one.stop() for one in (*scene.enqueuers, *scene.members)])
        for number in range(1, size.workers + 1):
            to_database, to_redis = links()
            name = f"worker-{number}"
            env = _environment(folder, name, to_database, to_redis) | disturbed
            scene.members.append(Member(name, env, to_database, to_redis, folder))
        for number in range(1, size.enqueuers + 1):
            name = f"enqueuer-{number}"
            env = _environment(folder, name, *links())
            scene.enqueuers.append(Enqueuer(name, env, folder / f"{name}.log", scene.next_file))
        yield scene


def _environment(folder: Path, name: str, database: Link, broker: Link) -> dict[str, str]:
    database_url = f"postgresql://postgres@127.0.0.1:{database.port}/{DATABASE}?application_name={name}"
    return environment(folder, database_url, f"redis://127.0.0.1:{broker.port}/0")


def _artifact(model: Path) -> dict[str, object]:
    manifest = read_manifest(model)
    return {"labels": list(manifest.labels), "artifact_uri": model.as_uri(), "artifact_hash": manifest.hash}
