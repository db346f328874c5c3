"""The embedded Redis with real servers and real processes around it."""

import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import kombu
import pytest
import redis

from tagging.errors import BrokerError
from worker import embedded_redis as module
from worker.embedded_redis import client_url, embedded_redis, revive, running_url
from worker.messages import TASK

ROOT = Path(__file__).parents[2]

# A user of the server: comes in, says so, stays until its standard input ends.
USER = """
import sys
from pathlib import Path
from worker.embedded_redis import embedded_redis

with embedded_redis(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder that is also the temporary directory; afterwards no server may listen anywhere in it."""
    with tempfile.TemporaryDirectory(prefix="ts-", dir="/tmp", ignore_cleanup_errors=True) as name:
        base = Path(name).resolve()
        monkeypatch.setattr(tempfile, "tempdir", str(base))
        monkeypatch.setenv("TMPDIR", str(base))
        yield base
        left = wait_until_gone(base)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, "a redis-server was left behind"


@pytest.fixture
def home(base: Path) -> Path:
    return base / "home"


def servers(base: Path) -> list[int]:
    """Process ids of the servers whose socket lies under the folder."""
    pattern = f"redis-server.* (--)?unixsocket[: ]{re.escape(str(base))}/"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def wait_until_gone(base: Path) -> list[int]:
    """Give a process that has closed its files the moment it takes to vanish from the process table."""
    for _ in range(50):
        if not servers(base):
            return []
        time.sleep(0.02)
    return servers(base)


def run_id(url: str) -> str:
    with redis.Redis.from_url(client_url(url)) as client:
        return str(client.info("server")["run_id"])


def start_user(home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", USER, str(home)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def url_of(user: subprocess.Popen[str]) -> str:
    """Wait until the user is in."""
    assert user.stdout is not None
    return user.stdout.readline().strip()


@contextmanager
def other_user(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that uses the server; it leaves in good order at the end, unless it was killed before."""
    with start_user(home) as user:
        assert url_of(user)
        yield user


def test_the_server_runs_inside_the_context_only(home: Path) -> None:
    with embedded_redis(home) as url:
        assert url == running_url(home) == f"redis+socket://{home}/redis/redis.sock"
        assert len(servers(home)) == 1
        assert home.stat().st_mode & 0o777 == 0o700
        assert (home / "redis" / "redis.sock").stat().st_mode & 0o777 == 0o700
    assert wait_until_gone(home) == []
    assert running_url(home) is None


def test_nothing_is_kept_evicted_or_reachable_from_outside(home: Path) -> None:
    with embedded_redis(home) as url, redis.Redis.from_url(client_url(url)) as client:
        settings = client.config_get("*")
        assert (settings["port"], settings["unixsocketperm"]) == ("0", "700")
        assert (settings["save"], settings["appendonly"], settings["maxmemory-policy"]) == ("", "no", "noeviction")


def test_the_server_is_a_session_of_its_own_and_no_child_of_ours(home: Path) -> None:
    with embedded_redis(home):
        (pid,) = servers(home)
        assert os.getsid(pid) == pid
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_an_error_inside_the_context_passes_and_stops_the_server(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded_redis(home):
        _ = 1 / 0
    assert running_url(home) is None


def test_asking_for_a_running_server_starts_and_makes_nothing(home: Path) -> None:
    assert running_url(home) is None
    assert not home.exists()


def test_nested_use_stops_at_the_outer_end(home: Path) -> None:
    with embedded_redis(home) as outer:
        with embedded_redis(home) as inner:
            assert inner == outer
        assert running_url(home) == outer
    assert running_url(home) is None


def test_a_home_behind_a_link_has_the_same_server(home: Path, base: Path) -> None:
    (base / "link").symlink_to(home)
    with embedded_redis(home) as url, embedded_redis(base / "link") as same:
        assert same == url


def test_the_first_to_come_may_leave_first(home: Path) -> None:
    with ExitStack() as second:
        with embedded_redis(home) as url:
            first_run = run_id(url)
            second.enter_context(other_user(home))
        assert run_id(url) == first_run
    assert running_url(home) is None


def test_five_processes_at_once_start_one_server(home: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(start_user(home)) for _ in range(5)]
        urls = {url_of(user) for user in users}
        assert len(urls) == 1
        assert (home / "redis" / "redis.log").read_text().count("Server initialized") == 1
        assert len(servers(home)) == 1
    assert running_url(home) is None


def test_threads_come_and_go_without_losing_the_server(home: Path) -> None:
    answers = []

    def come_and_go() -> None:
        for _ in range(5):
            with embedded_redis(home) as url:
                answers.append(run_id(url))

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20


def test_the_server_of_a_killed_user_is_used_again_and_then_stopped(home: Path) -> None:
    with other_user(home) as user:
        orphan = running_url(home)
        assert orphan is not None
        orphan_run = run_id(orphan)
        user.kill()
    assert running_url(home) == orphan
    with embedded_redis(home) as url:
        assert run_id(url) == orphan_run
    assert running_url(home) is None


def test_a_forked_child_that_lives_on_keeps_nobody_waiting(home: Path) -> None:
    with embedded_redis(home) as url:
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(5,))
        child.start()
        assert running_url(home) == url
    try:
        assert running_url(home) is None
        with embedded_redis(home):
            assert running_url(home) == url
        assert running_url(home) is None
        assert child.is_alive()
    finally:
        child.kill()
        child.join()
        child.close()


def test_a_forked_child_that_runs_out_of_the_context_stops_nothing(home: Path) -> None:
    child = 0
    try:
        with embedded_redis(home) as url:
            child = os.fork()
            if child == 0:
                raise KeyboardInterrupt  # unwinds the context in the child
            os.waitpid(child, 0)
            assert running_url(home) == url
    except KeyboardInterrupt:
        if child == 0:
            os._exit(0)
        raise
    assert running_url(home) is None


def test_a_server_that_was_killed_is_replaced(home: Path) -> None:
    with embedded_redis(home):
        (pid,) = servers(home)
        os.kill(pid, signal.SIGKILL)
        assert wait_until_gone(home) == []
    assert (home / "redis" / "redis.sock").exists()
    with embedded_redis(home) as url:
        assert run_id(url)


def test_a_server_that_was_killed_under_its_user_is_revived(home: Path) -> None:
    with embedded_redis(home) as url:
        first = run_id(url)
        revive(home)
        assert run_id(url) == first, "it was alive"
        os.kill(int((home / "redis" / "redis.pid").read_text()), signal.SIGKILL)
        revive(home)
        assert run_id(url) != first


def test_a_stale_socket_is_replaced(home: Path) -> None:
    (home / "redis").mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(home / "redis" / "redis.sock"))
    assert running_url(home) is None
    with embedded_redis(home) as url:
        assert run_id(url)


def test_a_server_that_hangs_is_an_error_with_the_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded_redis(home) as url:
        (pid,) = servers(home)
        os.kill(pid, signal.SIGSTOP)
        try:
            with monkeypatch.context() as patch:
                patch.setattr(module, "_PATIENCE", 0.2)
                with pytest.raises(BrokerError, match=r"does not answer.*redis\.log(.|\n)*ready to accept"):
                    embedded_redis(home).__enter__()
                assert running_url(home) is None
        finally:
            os.kill(pid, signal.SIGCONT)
        assert running_url(home) == url


def test_a_server_that_cannot_start_is_an_error_with_the_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    (home / "redis" / "redis.sock" / "in the way").mkdir(parents=True)
    with pytest.raises(BrokerError, match=r"does not start.*redis\.log(.|\n)*bind"), embedded_redis(home):
        pass


@pytest.mark.parametrize("name", ["a home", "ü;?#%41&+", "x" * 150])
def test_any_path_will_do_for_celery_and_for_the_client(base: Path, name: str) -> None:
    home = base / name
    with embedded_redis(home) as url:
        assert url == running_url(home)
        with kombu.Connection(url) as connection, connection.SimpleQueue("tweets") as queue:
            queue.put([[7], {}, {}], headers={"task": TASK})
            with redis.Redis.from_url(client_url(url)) as client:
                assert client.llen("tweets") == 1
            message = queue.get(timeout=2)
            assert message.payload == [[7], {}, {}]
            message.ack()


def test_a_long_home_has_a_folder_of_its_own_in_the_temporary_directory(tmp_path: Path, base: Path) -> None:
    first, second = tmp_path / ("x" * 150), tmp_path / ("y" * 150)
    with embedded_redis(first) as url, embedded_redis(second) as other_url:
        assert url.startswith(f"redis+socket://{base}/tweetspan-")
        assert url != other_url
        folder = Path(url.removeprefix("redis+socket://")).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        with embedded_redis(first) as again:
            assert again == url


def test_a_long_temporary_directory_is_named_as_the_problem(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(base / ("t" * 150)))
    with pytest.raises(BrokerError, match="TWEETSPAN_HOME"), embedded_redis(base / ("x" * 150)):
        pass


@pytest.mark.parametrize("use", [lambda home: embedded_redis(home).__enter__(), running_url])
def test_a_folder_that_others_may_write_to_is_refused(home: Path, use: Callable[[Path], object]) -> None:
    folder = home / "redis"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(BrokerError, match=f"run: chmod 700 {folder}"):
        use(home)
    folder.chmod(0o700)
    with embedded_redis(home):
        pass


def test_a_link_in_place_of_the_folder_is_refused(home: Path, base: Path) -> None:
    home.mkdir()
    (base / "elsewhere").mkdir()
    (home / "redis").symlink_to(base / "elsewhere")
    with pytest.raises(BrokerError, match="belongs to you"), embedded_redis(home):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(home: Path) -> None:
    (home / "redis").mkdir(parents=True)
    os.chown(home / "redis", 12345, 12345)
    with pytest.raises(BrokerError, match="belongs to you"), embedded_redis(home):
        pass


def test_a_home_that_is_a_file_is_refused(home: Path) -> None:
    home.write_text("")
    with pytest.raises(BrokerError, match=f"cannot make the folder {home}/redis"), embedded_redis(home):
        pass
    assert running_url(home) is None


@pytest.mark.parametrize(
    ("broker", "client"),
    [
        ("redis+socket:///a/redis.sock", "unix:///a/redis.sock"),
        ("redis+socket:///a/redis.sock?virtual_host=2", "unix:///a/redis.sock?db=2"),
        ("redis+socket:///a/redis.sock?x=1&virtual_host=/2", "unix:///a/redis.sock?x=1&db=2"),
        ("redis+socket://:secret@/a/redis.sock", "unix://:secret@/a/redis.sock"),
        ("redis://localhost:6379/1", "redis://localhost:6379/1"),
        ("rediss://:secret@example.org/0", "rediss://:secret@example.org/0"),
    ],
)
def test_client_url(broker: str, client: str) -> None:
    assert client_url(broker) == client
    redis.ConnectionPool.from_url(client).disconnect()
