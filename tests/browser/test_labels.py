"""The page of labels: images that are given labels, policies and what they would change, the review by keys."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import OpenPage
from tests.browser.driver import Page, Route, expect, stop_the_clock
from tests.browser.looks import PHONE, assert_accessible, hand_over
from tests.browser.service import ROOT, Catalog, serve

pytestmark = pytest.mark.browser

WORDS = "red\ngreen\nblue circle, yellow star\nsquare: a diamond, a hexagon"
NESTED = {
    "labels": [
        {"name": "round", "labels": [{"name": "red circle"}, {"name": "blue circle"}]},
        {"name": "cornered", "labels": [{"name": "square"}, {"name": "star", "texts": ["star", "a pointed shape"]}]},
        {"name": "something else"},
    ]
}


def label(page: Page, photo: Path, words: str | None = WORDS) -> None:
    """Hands an image to the page, and types labels."""
    expect(page.locator("#try")).to_be_visible()
    hand_over(page, "drop", photo)
    if words is not None:
        page.get_by_role("textbox", name="One a line").fill(words)
    expect(page.locator(".answer")).to_be_visible()
    expect(page.locator("#try")).to_have_attribute("aria-busy", "false")


def shown(page: Page) -> dict[str, float]:
    """Probabilities on the screen, by label: as wide as their bars are."""
    rows = page.locator(".bar-row .probable").evaluate_all(
        "(all) => all.map((bar) => [bar.closest('li').firstChild.textContent, parseFloat(bar.style.width)])"
    )
    return {name: width / 100 for name, width in rows}


def asked(address: str, photo: Path, request: dict[str, Any]) -> dict[str, Any]:
    form = {"request": json.dumps(request)}
    answer = (
        httpx.post(f"{address}/v1/classify/image", data=form, files={"file": photo.read_bytes()})
        .raise_for_status()
        .json()
    )
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("kind", ["flat", "several", "nested"])
def test_probabilities_move_with_the_temperature_as_the_server_has_them_and_nothing_is_asked(
    kind: str, open_page: OpenPage, catalog: Catalog, address: str, keep: Callable[[Page, str], Path]
) -> None:
    photo = catalog.image("star-plain-red")
    page = open_page("/labels")
    if kind == "nested":
        httpx.put(f"{address}/v1/documents/label-sets/nested", json=NESTED).raise_for_status()
        page.reload()
        hand_over(page, "drop", photo)
        page.get_by_role("combobox", name="Labels").select_option("nested")
        expect(page.get_by_role("textbox", name="One a line")).to_be_disabled()
        request: dict[str, Any] = {"label_set": "nested"}
    else:
        if kind == "several":
            page.get_by_label("Several may be right").check()
        label(page, photo)
        names = ["red", "green", "blue circle", "yellow star"]
        request = {"labels": [*names, {"name": "square", "texts": ["square", "a diamond", "a hexagon"]}]}
        request |= {"multi": True} if kind == "several" else {}
    expect(page.locator(".bar-row .probable").first).to_be_visible()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    slider = page.get_by_role("slider", name="Temperature")
    for step in (0, 25, -60):
        for _ in range(abs(step)):
            slider.press("ArrowRight" if step > 0 else "ArrowLeft")
        temperature = 10 ** float(slider.input_value())
        told = asked(address, photo, request | {"temperature": temperature, "top_k": 1000})["results"][0]["labels"]
        expected = {" › ".join(one.get("path") or [one["label"]]): one["probability"] for one in told}
        assert shown(page) == pytest.approx(expected, abs=0.02)
        assert list(shown(page)) == list(expected)
    assert requests == []
    keep(page, f"labels-{kind}")


def test_what_is_below_the_line_is_unknown(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/labels")
    label(page, catalog.image("star-plain-red"))
    line = page.get_by_role("slider", name="Similarity below which the answer is unknown")
    line.press("Home")
    known = page.locator(".answer").inner_text()
    assert known != "unknown"
    assert page.locator(".bars .below").count() == 0
    box = line.bounding_box()
    assert box is not None
    # By the mouse as well: the line is dragged from its place at the left edge to the right one.
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.locator(".answer")).to_have_text("unknown")
    assert page.locator(".bars .below").count() == 5
    page.get_by_role("button", name="Back to what was known").click()
    expect(page.get_by_role("button", name="Back to what was known")).to_be_hidden()


def test_labels_are_kept_as_a_label_set_unless_somebody_was_faster(
    open_page: OpenPage, catalog: Catalog, address: str
) -> None:
    page = open_page("/labels", fails=True)
    label(page, catalog.image("star-plain-red"), "red, green")
    page.get_by_role("slider", name="Temperature").press("ArrowRight")
    page.get_by_label("Keep them as").fill("colours")
    page.get_by_role("button", name="Save the label set").click()
    expect(page.get_by_text(re.compile(r"Saved as version \d"))).to_be_visible()
    there = f"{address}/v1/documents/label-sets/colours"
    stored = httpx.get(there).json()
    assert [one["name"] for one in stored["labels"]] == ["red", "green"]
    assert stored["temperature"] > 0
    httpx.put(there, json=stored | {"templates": ["a {label} thing"]}).raise_for_status()
    page.get_by_role("textbox", name="One a line").fill("red, green, blue")
    page.get_by_role("button", name="Save the label set").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed it")
    assert len(httpx.get(there).json()["labels"]) == 2
    page.get_by_role("textbox", name="One a line").fill("red, red")
    expect(page.get_by_role("alert")).to_contain_text("twice")


def test_a_policy_shows_what_it_would_change_before_it_is_saved(
    open_page: OpenPage, catalog: Catalog, address: str, keep: Callable[[Page, str], Path]
) -> None:
    rule = {
        "name": "stars",
        "prompts": ["a star"],
        "counter_prompts": ["a circle"],
        "threshold": 2.0,
        "action": "block",
    }
    there = f"{address}/v1/documents/policies/shapes"
    httpx.put(there, json={"rules": [rule]}).raise_for_status()
    page = open_page("/labels#policies", fails=True)
    page.get_by_label("Policy", exact=True).select_option("shapes")
    heading = page.locator(".judged h2")
    expect(heading).to_have_text(f"Nothing changes among {len(catalog.rows)} products")

    told = httpx.post(f"{address}/v1/moderate", json={"policy": "shapes", "filter": {}, "limit": 1000}).json()
    scores = sorted((one["rules"][0]["score"], one["id"]) for one in told["decisions"])
    threshold = (scores[-5][0] + scores[-6][0]) / 2
    page.get_by_label("Fires from a score of").fill(f"{threshold:.6f}")
    expect(heading).to_have_text(f"This edit changes 5 of {len(catalog.rows)} products")
    assert set(page.locator(".change-id").all_text_contents()) == {id for _, id in scores[-5:]}
    expect(page.get_by_text(f"fires for 5 of {len(catalog.rows)} products")).to_be_visible()
    keep(page, "policies")
    assert httpx.get(there).json()["rules"][0]["threshold"] == 2.0

    # Other words are asked about, and the server has the same to say of the same rules.
    page.get_by_label("What is meant", exact=True).fill("a blue square")
    page.wait_for_load_state("networkidle")
    other = {**rule, "prompts": ["a blue square"], "threshold": round(threshold, 6)}
    again = httpx.post(f"{address}/v1/moderate", json={"rules": [other], "filter": {}, "limit": 1000}).json()
    blocked = sum(one["action"] == "block" for one in again["decisions"])
    assert again.get("policy") is None
    expect(page.locator(".counts .block dd")).to_have_text(re.compile(rf"^{blocked}\b"))

    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_text(re.compile(r"Saved as version \d"))).to_be_visible()
    assert httpx.get(there).json()["rules"] == [other]
    page.get_by_role("button", name="Judge the whole catalog by it").click()
    expect(page.get_by_text(f"{blocked} blocked, 0 to review")).to_be_visible()
    # As JSON too, and what is wrong is named by its place.
    page.get_by_text("As JSON", exact=True).click()
    page.get_by_label("The policy as JSON").fill("{")
    expect(page.get_by_text("Not yet a policy")).to_be_visible()
    page.get_by_label("The policy as JSON").fill(json.dumps({"rules": [other | {"threshold": 7}]}))
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("alert")).to_contain_text("rules.0.threshold")
    httpx.put(there, json={"rules": [rule]}).raise_for_status()
    page.get_by_label("The policy as JSON").fill(json.dumps({"rules": [other]}))
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed it")
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_label("Fires from a score of")).to_have_value("2")
    judged = httpx.post(f"{address}/v1/moderation/judge", json={"policy": "shapes"}).raise_for_status().json()
    assert (judged["block"], judged["changed"]) == (0, blocked)
    httpx.delete(there).raise_for_status()


def waiting(catalog: Catalog) -> list[dict[str, Any]]:
    """Products as the queue tells of them."""
    rule = {"rule": "stars", "score": 0.31, "threshold": 0.2, "fired": True, "action": "review", "calibrated": True}
    return [
        {
            "id": row["id"],
            "product": row,
            "images": [f"/v1/products/{row['id']}/images/0"],
            "action": "review",
            "judged": "review",
            "policy": "shapes",
            "version": 3,
            "by": "image",
            "rules": [rule],
        }
        for row in catalog.rows[:24]
    ]


def open_review(
    open_page: OpenPage, catalog: Catalog, **options: Any
) -> tuple[Page, list[dict[str, Any]], list[Route]]:
    """The review of 24 products, what is sent by it, and sendings that are held while ``held`` has a first entry."""
    sent: list[dict[str, Any]] = []
    failing: list[Route] = []
    page = open_page("/labels", fails=True, **options)

    def decide(route: Route) -> None:
        if failing:
            route.fulfill(status=503, json={"title": "Busy", "detail": "an ingest is writing"})
        else:
            sent.append(json.loads(route.request.post_data or "{}"))
            route.fulfill(json={"appeals": [], "generation": "000002"})

    found = waiting(catalog)
    page.route("**/v1/moderation/queue?**", lambda route: route.fulfill(json={"products": found, "total": len(found)}))
    page.route("**/v1/moderation/appeals", decide)
    page.get_by_role("tab", name="Review").click()
    page.get_by_label("You are").fill("anna")
    page.locator(".judging h2").wait_for()
    page.locator("#main").focus()
    return page, sent, failing


def test_the_review_is_decided_by_keys_and_sent_together(
    open_page: OpenPage, catalog: Catalog, keep: Callable[[Page, str], Path]
) -> None:
    page, sent, failing = open_review(open_page, catalog)
    ids = [row["id"] for row in catalog.rows]
    stop_the_clock(page)
    heading = page.locator(".judging h2")
    expect(heading).to_have_text(catalog.rows[0]["title"])
    page.keyboard.press("j")
    expect(heading).to_have_text(catalog.rows[1]["title"])
    page.keyboard.press("ArrowUp")
    expect(heading).to_have_text(catalog.rows[0]["title"])
    page.keyboard.press("a")
    page.keyboard.press("b")
    page.keyboard.press("b")
    page.keyboard.press("u")
    expect(heading).to_have_text(catalog.rows[2]["title"])
    page.keyboard.press("j")
    page.keyboard.press("a")
    keep(page, "review")
    assert sent == []
    page.clock.run_for(1500)
    expect(page.get_by_text("All saved")).to_be_visible()
    decided = [(ids[0], "allow"), (ids[1], "block"), (ids[3], "allow")]
    assert sent == [{"by": "anna", "appeals": [{"id": id, "action": action} for id, action in decided]}]

    # What was sent is taken back there too, and what cannot be sent is kept and tried again.
    failing.append(None)  # type: ignore[arg-type]
    page.keyboard.press("u")
    page.clock.run_for(1500)
    expect(page.get_by_text("an ingest is writing")).to_be_visible()
    failing.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("All saved")).to_be_visible()
    assert sent[1:] == [{"by": "anna", "appeals": [{"id": ids[3], "action": None}]}]
    # Twenty are sent at once, and those that are left when the page is left.
    page.locator("#main").focus()
    for _ in range(20):
        page.keyboard.press("b")
    expect(page.get_by_text("All saved")).to_be_visible()
    assert len(sent[2]["appeals"]) == 20
    page.keyboard.press("u")
    with page.expect_response("**/v1/moderation/appeals"):
        page.get_by_role("tab", name="Policies").click()
    expect(page.locator("#review")).to_be_hidden()
    assert len(sent) == 4


def test_decisions_reach_the_index_with_a_key_that_may_review(
    open_page: OpenPage, catalog: Catalog, python: Path, tmp_path: Path, keep: Callable[[Page, str], Path]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(catalog.data, data)
    policy = {"rules": [{"name": "red", "prompts": ["red"], "threshold": -2, "action": "review"}]}
    with serve(python, data, STORELENS_API_KEYS="anybody", STORELENS_REVIEW_KEYS="somebody") as address:
        known = {"Authorization": "Bearer anybody"}
        httpx.put(f"{address}/v1/documents/policies/red", json=policy, headers=known).raise_for_status()
        job = [str(python), "-m", "ingest", "moderate", "--policy", "red", "--data-dir", str(data)]
        done = subprocess.run(job, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        page = open_page("/labels#review", at=address, fails=True)
        page.get_by_label("API key").fill("anybody")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Use another key").click()
        page.get_by_label("API key").fill("somebody")
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("You are").fill("anna")
        expect(page.get_by_text(f"{len(catalog.rows)} of {len(catalog.rows)} left")).to_be_visible()
        image = page.locator(".judging img").first
        image.wait_for()
        expect(image).not_to_have_js_property("naturalWidth", 0)
        page.locator("#main").focus()
        page.keyboard.press("a")
        page.keyboard.press("b")
        expect(page.get_by_text("All saved")).to_be_visible()
        for queue in ("Blocked", "Allowed by somebody"):
            page.get_by_role("combobox", name="Products").select_option(queue)
            expect(page.get_by_text("1 of 1 left")).to_be_visible()
            expect(page.get_by_text("anna decided")).to_be_visible()
        # So is the catalog labelled by a stored set, and what it calls otherwise is told.
        colors = {"labels": [{"name": "red", "texts": ["green"]}, {"name": "green", "texts": ["red"]}]}
        httpx.put(f"{address}/v1/documents/label-sets/color", json=colors, headers=known).raise_for_status()
        page.reload()
        page.get_by_role("tab", name="Try labels").click()
        page.get_by_role("combobox", name="Labels").select_option("color")
        page.get_by_role("button", name="Label the whole catalog by it").click()
        expect(
            page.get_by_text(f"{len(catalog.rows)} products labelled, {len(catalog.rows)} of them anew")
        ).to_be_visible()
        expect(page.get_by_text("whose color is one of the labels")).to_be_visible()
        expect(page.locator(".disputed li").first).to_contain_text(re.compile("red, here green|green, here red"))
        keep(page, "label-catalog")


def test_a_decision_needs_a_name(open_page: OpenPage, catalog: Catalog) -> None:
    page, sent, _ = open_review(open_page, catalog)
    page.get_by_label("You are").fill("")
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_role("alert")).to_contain_text("Say who you are")
    expect(page.get_by_label("You are")).to_be_focused()
    assert sent == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_every_tab_is_fit_for_everybody(
    device: str, open_page: OpenPage, catalog: Catalog, keep: Callable[[Page, str], Path]
) -> None:
    page, _, _ = open_review(open_page, catalog, **(PHONE if device == "phone" else {}))
    for tab in ("Review", "Policies", "Try labels"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Policies":
            page.locator(".counts").wait_for()
        elif tab == "Try labels":
            label(page, catalog.image("star-plain-red"))
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert_accessible(page)
        keep(page, f"{tab.split()[0].lower()}-{device}")
