"""A run is followed, decided and cancelled by looking at its page alone."""

from __future__ import annotations

from playwright.sync_api import expect

from droptune.domain.phases import Phase
from tests.api.world import World

from .conftest import let_it_look
from .stories import (
    ERROR,
    ID,
    WARNING,
    a_failure,
    a_story,
    a_success,
    advanced,
    champions,
    keep_documents,
)

CURRENT = "#line [aria-current=step] .name"


def test_run_is_followed_to_its_end_without_loading_the_page_again(serve, open_page):
    """Phase, curve, answers and outcome appear by themselves; then the page rests."""
    world = World()
    record = world.keep(a_story(Phase.VALIDATING))
    page = open_page(f"{serve(world).url}/runs/{ID}")
    page.evaluate("window.stillHere = true")
    expect(page.locator(CURRENT)).to_have_text("validating")

    for phase in (Phase.QUEUED, Phase.UPLOADING, Phase.TRAINING, Phase.DEPLOYING, Phase.TESTING):
        record = world.keep(advanced(record, phase))
        keep_documents(world, record, last_step=260 if phase.position >= 9 else 0)
        let_it_look(page)
        expect(page.locator(CURRENT)).to_have_text(phase.value)
        expect(page).to_have_title(f"{phase.value} · {ID} · Droptune")
    expect(page.locator("#curve polyline.train")).to_be_visible()
    ended = world.keep(a_success())
    champions(world, ended.id)
    let_it_look(page)

    expect(page.locator("#head .chip").first).to_have_text("succeeded")
    expect(page.locator("#answers")).to_contain_text("I will start a trace")
    expect(page.locator("#cost")).to_contain_text("$6.19")
    expect(page.locator("#said")).to_have_text("The run is succeeded.")
    expect(page.locator("#live")).to_be_hidden()
    assert page.evaluate("window.stillHere") is True


def test_failure_shows_cause_remedy_and_evidence_first(serve, open_page):
    """The sentence that repairs the data stands above everything else, with file and line."""
    world = World()
    keep_documents(world, world.keep(a_failure()), findings=(WARNING, ERROR))

    page = open_page(f"{serve(world).url}/runs/{ID}")

    panel = page.locator("#error")
    expect(panel).to_contain_text("line 17")
    expect(panel).to_contain_text('What to do: Write "assistant".')
    expect(panel.locator(".findings li")).to_have_count(1)
    expect(page.get_by_text("Start again").first).to_be_visible()
    assert panel.bounding_box()["y"] < page.locator("#line").bounding_box()["y"]
    assert page.locator("#findings .findings li").first.get_attribute("class") == "error"


def test_approval_shows_the_evidence_and_is_recorded_with_its_reason(serve, open_page):
    """One page: reasons, cost and findings; a click with a reason decides, and wakes the run."""
    world = World()
    reason = "Training may cost $6.20, and the budget is $5.00."
    record = world.keep(a_story(Phase.AWAITING_APPROVAL, approval_reasons=(reason,)))
    keep_documents(world, record)
    page = open_page(f"{serve(world).url}/runs/{ID}")
    expect(page.locator("#decide")).to_contain_text(reason)
    expect(page.locator("#decide")).to_contain_text("Costs $4.10 to $6.20.")

    page.locator("#reason-approve").fill("worth it")
    page.get_by_role("button", name="Approve the training").click()

    expect(page.locator("#head")).to_contain_text("Approved by holder of the key (worth it)")
    expect(page.get_by_role("button", name="Approve the training")).to_have_count(0)
    decision = world.control(record).decision("training")
    assert (decision.word, decision.reason) == ("approve", "worth it")
    assert f"{ID}:await_approval:training" in world.woken


def test_promotion_is_decided_with_the_answers_side_by_side(serve, open_page):
    """Candidate, champion and base model stand side by side, the first five prompts at once."""
    world = World()
    record = world.keep(a_story(Phase.AWAITING_PROMOTION))
    keep_documents(world, record, last_step=450)
    champions(world, "shop-v0-x", "shop-v1-y")
    page = open_page(f"{serve(world).url}/runs/{ID}")
    first = page.locator("#answers .exchange").first
    ours, champion, base = first.locator(".answer").all()
    assert len({each.bounding_box()["y"] for each in (ours, champion, base)}) == 1
    expect(page.locator("#answers .exchange:visible")).to_have_count(5)
    expect(page.locator("#answers")).to_contain_text("No answer: not-found.")
    page.locator("#more-answers-button").click()
    expect(page.locator("#answers .exchange:visible")).to_have_count(7)
    expect(page.locator("#decide")).to_contain_text("It replaces shop-1ab12cd34ef5")

    page.get_by_role("button", name="Reject the promotion").click()

    expect(page.locator("#head")).to_contain_text("Rejected by holder of the key")
    assert world.control(record).decision("promotion").word == "reject"


def test_cancel_says_what_it_does_before_it_is_done(serve, open_page):
    """The keyboard suffices: open, read what it costs, confirm."""
    world = World()
    record = world.keep(a_story(Phase.TRAINING))
    page = open_page(f"{serve(world).url}/runs/{ID}")

    page.locator("#do-cancel-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#says-cancel")).to_contain_text("What was trained so far is billed")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong file")
    page.keyboard.press("Enter")

    expect(page.locator("#head")).to_contain_text("Being cancelled by holder of the key")
    assert world.control(record).cancelled.reason == "wrong file"


def test_decision_in_one_tab_shows_in_the_other(serve, open_page):
    """Two people look; one decides; the other's page says who."""
    world = World()
    record = world.keep(a_story(Phase.AWAITING_APPROVAL))
    served = serve(world)
    first, second = (open_page(f"{served.url}/runs/{ID}") for _ in range(2))
    expect(second.get_by_role("button", name="Reject the training")).to_be_visible()

    first.get_by_role("button", name="Approve the training").click()
    expect(first.locator("#head")).to_contain_text("Approved by")
    let_it_look(second)

    expect(second.locator("#head")).to_contain_text("Approved by")
    expect(second.get_by_role("button", name="Reject the training")).to_have_count(0)
    assert len(world.control(record).words) == 1


def test_what_somebody_types_outlives_an_update(serve, open_page):
    """A reason half typed and the focus stay while the page around them changes."""
    world = World()
    record = world.keep(a_story(Phase.AWAITING_APPROVAL))
    page = open_page(f"{serve(world).url}/runs/{ID}")
    page.locator("#reason-approve").press_sequentially("half a")

    keep_documents(world, record)
    let_it_look(page)
    expect(page.locator("#decide")).to_contain_text("Whole report")
    page.keyboard.type(" reason")

    expect(page.locator("#reason-approve")).to_have_value("half a reason")


def test_page_says_when_the_server_is_away_and_comes_back_by_itself(serve, open_page):
    """A restart under an open page costs nothing: what was known stays, then the new state."""
    world = World()
    record = world.keep(a_story(Phase.TRAINING))
    served = serve(world)
    page = open_page(f"{served.url}/runs/{ID}")

    served.stop()
    let_it_look(page)
    expect(page.locator("#away")).to_contain_text("Droptune does not answer since")
    expect(page.locator("#head")).to_contain_text("Training for")
    world.keep(advanced(record, Phase.DEPLOYING))
    served.start()
    page.clock.fast_forward(40_000)

    expect(page.locator("#away")).to_be_hidden()
    expect(page.locator(CURRENT)).to_have_text("deploying")


def test_page_without_script_shows_the_same_and_loads_itself_again(serve, open_page, new_context):
    """Reading needs no script; nor does deciding."""
    world = World()
    record = world.keep(a_story(Phase.TRAINING))
    keep_documents(world, record, last_step=260)
    url = f"{serve(world).url}/runs/{ID}"
    page = new_context(java_script_enabled=False).new_page()
    page.goto(url)

    refresh = page.locator("noscript meta[http-equiv=refresh]")

    expect(page.locator("#curve polyline.train")).to_be_visible()
    assert refresh.get_attribute("content") == "10"
    page.locator("#do-pause-button").click()
    page.get_by_role("button", name="Pause the run").click()
    expect(page.locator("#head")).to_contain_text("Paused by holder of the key")
    assert world.control(record).is_paused


def test_open_page_is_gentle(serve, open_page):
    """A quiet minute costs a handful of requests, and each is answered 304 without a body."""
    world = World()
    world.keep(a_story(Phase.TRAINING))
    page = open_page(f"{serve(world).url}/runs/{ID}")
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    statuses: list[int] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: statuses.append(response.status))

    for _ in range(60):
        page.clock.run_for(1_000)
        while len(statuses) < len(asked):
            page.evaluate("0")  # lets the answer arrive

    assert 3 <= len(statuses) <= 12
    assert set(statuses) == {304}
