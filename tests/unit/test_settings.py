"""Settings: what a URL may say, and what an error about it must not."""

import re

import pytest

from settings import read_settings
from tagging.errors import SettingsError


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1",
        "redis://:p%2Fa%40s%23s%3F%3B@redis.example:6379/0",
        "redis://user:p:a@s@redis.example/1",
        "rediss://:pass@[::1]:6380/?ssl_ca_certs=/etc/ssl/redis.pem&ssl_cert_reqs=required",
        "redis+socket:///run/redis/redis.sock?virtual_host=2",
    ],
)
def test_a_url_of_redis_is_kept_as_it_is(url: str) -> None:
    assert read_settings({"TWEETSPAN_BROKER_URL": url}).broker_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://:hush@127.0.0.1/0",
        "redis://:hush/hush@127.0.0.1/0",
        "redis://:1/hush@127.0.0.1/0",
        "redis://:1#hush@127.0.0.1/0",
        "redis://:1?hush@127.0.0.1/0",
        "redis://:1;hush@127.0.0.1/0",
        "redis://:hush[@127.0.0.1/0",
        "redis://:x@127.0.0.1:hush/0",
        "redis://127.0.0.1/hush",
        "redis://127.0.0.1/0?password=hush",
        "redis://127.0.0.1/0?hush",
        "postgresql://127.0.0.1/hush",
    ],
)
def test_an_error_about_a_url_of_redis_names_the_variable_and_no_part_of_it(url: str) -> None:
    with pytest.raises(SettingsError, match="TWEETSPAN_BROKER_URL") as error:
        read_settings({"TWEETSPAN_BROKER_URL": url})
    assert not re.search("hush", str(error.value))
    assert error.value.__cause__ is None


def test_runtime_and_threads_are_read_and_empty_means_unset() -> None:
    told = read_settings({"TWEETSPAN_RUNTIME": "onnx", "TWEETSPAN_THREADS": "3"})
    assert (told.runtime, told.threads) == ("onnx", 3)
    unset = read_settings({"TWEETSPAN_RUNTIME": "", "TWEETSPAN_THREADS": "", "OMP_NUM_THREADS": "4,2"})
    assert (unset.runtime, unset.threads) == ("auto", None)


@pytest.mark.parametrize(("device", "single"), [("all", "auto"), ("cuda:1", "cuda:1"), ("", "auto")])
def test_all_cards_are_for_workers_alone(device: str, single: str) -> None:
    assert read_settings({"TWEETSPAN_DEVICE": device}).single_device == single


def test_the_customary_number_of_threads_is_heeded_unless_ours_is_set() -> None:
    assert read_settings({"OMP_NUM_THREADS": "4"}).threads == 4
    assert read_settings({"OMP_NUM_THREADS": "4", "TWEETSPAN_THREADS": "3"}).threads == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("TWEETSPAN_RUNTIME", "tensorrt"), ("TWEETSPAN_THREADS", "0"), ("TWEETSPAN_THREADS", "-1"),
     ("TWEETSPAN_THREADS", "two")],
)  # fmt: skip
def test_another_runtime_or_number_is_refused_with_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}'; set it to"):
        read_settings({name: value})
