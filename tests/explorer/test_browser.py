"""A browser goes through the pages as a person does, without JavaScript; skipped where no Chromium is installed."""

import re
import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from db import entity_edits
from db.session import Database
from explorer.access import Access
from explorer.app import create_app
from explorer.service import Service
from settings import read_settings
from tests.explorer.conftest import TOKEN
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
