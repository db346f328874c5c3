"""A browser goes through the pages as a person does, without JavaScript; skipped where no Chromium is installed."""

import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from db import entity_edits, model_versions
from db.session import Database
from explorer.access import Access
from explorer.app import create_app
from explorer.service import Service
from settings import read_settings
from tests.explorer.conftest import TOKEN
from tests.questions.real_world import real_world
from tests.questions.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = (
    "/today", "/entities", "/entity?name=PER:ann", "/tweets?mentions=PER:ann", "/models", "/model?version=1",
    "/models/compare?one=1&other=2", "/queue", "/edits", "/suggestions", "/docs", "/sign-in", "/nowhere",
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def site(database: Database, world: World) -> Iterator[str]:
    """The address of an explorer with a token, over a world in which nothing was merged, renamed or hidden."""
    with database.write_session() as session:
        for one in entity_edits.all_edits(session):
            if one.undone_at is None:
                entity_edits.undo(session, one.id, "a test")
    with _served(database) as address:
        yield address


@pytest.fixture
def real_site(database: Database, shared: Path) -> Iterator[str]:
    """The address of an explorer with a token, over the real tweets."""
    real_world(database, shared)
    with database.write_session() as session:
        model_versions.activate(session, 1)
    with _served(database) as address:
        yield address


@contextmanager
def _served(database: Database) -> Iterator[str]:
    app = create_app(Service(database, read_settings({}), Access(TOKEN)), ["127.0.0.1"])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page without JavaScript; complaints of the browser and requests to other hosts fail the test."""
    with _opened(browser, site) as opened:
        yield opened


@contextmanager
def _opened(browser: Browser, site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    opened, complaints, foreign = context.new_page(), list[str](), list[str]()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("request", lambda request: foreign.append(request.url) if not request.url.startswith(site) else None)
    yield opened
    assert [one for one in complaints if "401" not in one] == []
    assert foreign == []
    context.close()


def test_an_entity_is_followed_from_today_to_the_tweets_of_its_peak(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Entities").click()
    page.get_by_role("textbox", name="One entity").fill("PER:ann")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("(PER)")
    page.locator("svg.chart a").first.click()
    assert re.search(r"/tweets\?.*since=", page.url)
    expect(page.locator("mark.per").first).to_be_visible()
    page.locator("ol.tweets a").first.click()
    expect(page.get_by_role("heading", name=re.compile("^Tweet [0-9]+"))).to_be_visible()


def test_words_are_searched_and_narrowed_down(page: Page) -> None:
    page.goto("/tweets")
    page.get_by_label("Words").fill("rain")
    page.get_by_role("button", name="Ask").click()
    assert "text=rain" in page.url
    page.get_by_role("complementary").get_by_role("link", name="LOC", exact=True).click()
    assert "label=LOC" in page.url
    expect(page.locator("ol.tweets > li").first).to_contain_text(re.compile("rain", re.IGNORECASE))


def test_who_has_the_token_merges_and_takes_it_back(page: Page) -> None:
    page.goto("/entity?name=PER:ann")
    expect(page.locator('form[action^="/entity/merge"]')).to_have_count(0)
    page.goto("/sign-in")
    page.get_by_label("Token").fill("not-the-token-at-all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the token")
    page.goto("/sign-in")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/entity?name=PER:ann")
    merge = page.locator('form[action^="/entity/merge"]').first
    merge.locator('input[name="into"]').fill("PER:bob")
    merge.get_by_role("button").click()
    assert "name=PER%3Abob" in page.url
    expect(page.get_by_role("status")).to_be_visible()
    page.goto("/edits")
    page.get_by_role("button", name=re.compile("Undo|Take")).first.click()
    page.goto("/entity?name=PER:ann")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("ann", re.IGNORECASE))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_the_real_tweets_are_gone_through_by_every_kind_of_link(browser: Browser, real_site: str) -> None:
    with _opened(browser, real_site) as page:
        seen, ahead = Counter[str](), ["/today", "/suggestions", "/models/compare?one=1&other=2"]
        known = set(ahead)
        while ahead:
            path = ahead.pop(0)
            if path.partition("?")[0].endswith((".json", ".csv")):
                assert page.request.get(path).status == 200, path
                continue
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            _look_at(page, path)
            links = page.locator("a[href]").evaluate_all("found => found.map(one => one.getAttribute('href'))")
            for link in links:
                kind = link.partition("?")[0]
                is_page = link.startswith("/") and not link.startswith("/api/")  # the API's examples ask for anything
                if is_page and link not in known and seen[kind] < 5:
                    seen[kind] += 1
                    known.add(link)
                    ahead.append(link)
    assert set(seen) >= {
        "/entities", "/entity", "/tweets", "/tweet", "/models", "/model", "/queue", "/edits", "/docs", "/today.json",
        "/entities.csv", "/entity.json", "/tweets.json",
    }  # fmt: skip


def _look_at(page: Page, path: str) -> None:
    """What holds for every page: a heading, a name for each chart, and no wider than what it is looked at through."""
    assert page.locator("h1").count() == 1, path
    for chart in page.locator("svg.chart").all():
        assert chart.locator("title").first.text_content(), path
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_an_entity_of_the_real_tweets_is_merged_and_set_free_by_who_has_the_token(
    browser: Browser, real_site: str
) -> None:
    with _opened(browser, real_site) as page:
        page.goto("/entities")
        first, second = (page.locator("table a[href^='/entity?']").nth(row).get_attribute("href") for row in (0, 1))
        assert first is not None
        assert second is not None
        page.goto(first)
        assert page.locator("form[action^='/entity/merge']").count() == 0
        page.locator("svg.chart a").first.click()
        expect(page.locator("ol.tweets > li").first).to_be_visible()
        page.goto("/sign-in")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.goto(first)
        merge = page.locator("form[action^='/entity/merge']").first
        merge.locator("input[name='into']").fill(parse_qs(urlsplit(second).query)["name"][0])
        merge.get_by_role("button").click()
        expect(page.get_by_role("status")).to_be_visible()
        page.goto("/entities")
        assert page.locator(f'table a[href="{first}"]').count() == 0
        page.goto("/edits")
        page.get_by_role("button", name="Undo").first.click()
        page.goto("/entities")
        assert page.locator(f'table a[href="{first}"]').count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_telephone_or_hard_to_read(browser: Browser, site: str, scheme: str) -> None:
    context = browser.new_context(
        base_url=site, color_scheme=scheme, viewport={"width": 390, "height": 800}, bypass_csp=True
    )
    page = context.new_page()
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        faults = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in faults] == [], path
    context.close()
