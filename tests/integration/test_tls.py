"""Redis and PostgreSQL over TLS, by their URLs alone; a certificate that nobody vouches for is refused."""

import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import trustme

from db import ledger
from db.session import Database, open_database
from tagging.errors import DatabaseError
from tests.processes import TWEETSPAN, environment, running, tweetspan, wait_until
from tests.tiny import register_model
from tests.tls import tls_in_front_of
from worker.messages import QUEUE

TWEET = json.dumps({"id": "1", "text": "Ana met Bob in Paris"}).encode()
SECRET = "secret-of-the-tests"
SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # the first message of PostgreSQL's protocol


@dataclass
class Place:
    """A database with a model, and the URL of a Redis that speaks TLS, without what its certificate is signed by."""

    folder: Path
    database: Database
    url: str
    authority: Path

    def env(self, parameters: str) -> dict[str, str]:
        return environment(self.folder, "", f"{self.url}?{parameters}")

    @property
    def trusted(self) -> dict[str, str]:
        return self.env(f"ssl_ca_certs={self.authority}")


@pytest.fixture
def place(tmp_path: Path, redis_url: str, model_folder: Path) -> Iterator[Place]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    database = open_database(f"sqlite:///{tmp_path / 'tweetspan.db'}")
    register_model(database, model_folder)
    with tls_in_front_of(urlsplit(redis_url).port or 0, authority.issue_cert("127.0.0.1")) as port:
        yield Place(tmp_path, database, f"rediss://:{SECRET}@127.0.0.1:{port}/0", tmp_path / "authority.pem")
    database.close()


def _is_done(place: Place) -> bool:
    with place.database.read_session() as session:
        return ledger.is_empty(session)


def test_redis_over_tls_by_its_url(place: Place) -> None:
    done = tweetspan(place.trusted, "enqueue", "-", stdin=TWEET)
    assert "1 batches handed to Redis" in done.stdout, done.stdout + done.stderr
    with running([*TWEETSPAN, "worker", "--until-empty"], place.trusted, place.folder / "log") as worker:
        assert worker.process.wait(60) == 0, worker.said
    assert _is_done(place)
    assert SECRET not in worker.said


@pytest.mark.parametrize("parameters", ["", "ssl_ca_certs={other}"])
def test_a_certificate_that_nobody_vouches_for_is_refused(place: Place, redis_url: str, parameters: str) -> None:
    other = place.folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    env = place.env(parameters.format(other=other))
    done = tweetspan(env, "enqueue", "-", stdin=TWEET)
    assert done.returncode == 0, done.stderr
    assert "they wait in the database" in done.stdout
    assert "CERTIFICATE_VERIFY_FAILED" in done.stdout
    with running([*TWEETSPAN, "worker"], env, place.folder / "log") as worker:
        wait_until(lambda: "Cannot connect to rediss" in worker.said, 60, "the worker says so")
    assert "CERTIFICATE_VERIFY_FAILED" in worker.said
    assert SECRET not in worker.said + done.stdout + done.stderr
    assert not _is_done(place)
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen(QUEUE) == 0


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_postgresql_without_tls_is_refused_where_the_url_asks_for_it(mode: str) -> None:
    asked: list[bytes] = []

    class AnswersNo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(8))
            self.request.send(b"N")

    with socketserver.TCPServer(("127.0.0.1", 0), AnswersNo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"postgresql+psycopg://user:{SECRET}@127.0.0.1:{server.server_address[1]}/name?sslmode={mode}"
        with pytest.raises(DatabaseError, match="SSL") as error:
            open_database(f"{url}&sslrootcert=system" if mode == "verify-full" else url)
        server.shutdown()
        thread.join()
    assert SECRET not in str(error.value)
    assert asked == [SSL_REQUEST]  # the password was never sent
