"""The page in a real browser: every step, by every way to reach it, shows what `steps` gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from autograd import Graph, Value, group
from autograd import sum as total_of
from autograd.pictures.draw import number
from autograd.stepping.notebook import embedded
from autograd.stepping.page import page as written
from autograd.stepping.page import typeset
from autograd.stepping.steps import Steps, steps
from autograd.stepping.trace import FORWARD

from ..test_stepping import HOSTILE, diamond, network, sigmoid_example
from .conftest import MISSING, Open

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

if MISSING:
    pytest.skip(MISSING, allow_module_level=True)
pytestmark = pytest.mark.usefixtures("graphviz")

# Of each box the texts that can be seen, and which of its numbers is still incomplete; and the rule.
LOOK = """() => {
    const seen = (text) => getComputedStyle(text).visibility === "visible";
    const boxes = [...document.querySelectorAll("#picture .node")].map((node) => {
        const texts = [...node.querySelectorAll("text")];
        const numbers = [texts[0], texts.at(-1)].map((text) => (seen(text) ? text.textContent : null));
        return [node.id, numbers, node.classList.contains("pending")];
    });
    const labels = [...document.querySelectorAll("#picture .edge")].filter((edge) => [...edge.querySelectorAll("text")].some(seen));
    return {
        boxes: Object.fromEntries(boxes.map(([id, texts]) => [id, texts])),
        pending: boxes.filter(([, , pending]) => pending).map(([id]) => id).sort(),
        edges: labels.map((edge) => edge.id).sort(),
        rule: document.getElementById("rule").textContent,
        count: document.getElementById("count").textContent,
        slider: Number(document.getElementById("slider").value),
    };
}"""


def expected(recorded: Steps, position: int) -> dict[str, Any]:
    """What the page has to show at a position, from the steps alone."""
    ids = {id(node): f"n{i}" for i, node in enumerate(Graph(recorded.root))}
    boxes: dict[str, list[str | None]] = {name: [None, None] for name in ids.values()}
    left = [ids[id(step.receiver)] for step in recorded.backward]
    used: dict[str, int] = {}
    edges = []
    for step in recorded[: position + 1]:
        if step.phase == FORWARD:
            boxes[ids[id(step.node)]][0] = number(step.value)
        else:
            assert step.total is not None
            boxes[ids[id(step.receiver)]][1] = number(step.total)
            left.remove(ids[id(step.receiver)])
            if step.parent is not None:
                head = ids[id(step.node)]
                edges.append(f"{head}-{used.setdefault(head, 0)}")
                used[head] += 1
    rule = "".join(f"∂{part[1]}/∂{part[2]}" if part[0] == "d" else part[1] for part in typeset(recorded.parts(position)))
    count = f"step {position + 1} of {len(recorded)}"
    return {"boxes": boxes, "pending": sorted(set(left)), "edges": sorted(edges), "rule": rule, "count": count, "slider": position}


def examples() -> list[Value]:
    zero = Value(0.0, "zero")
    return [sigmoid_example(), diamond()[-1], zero.relu() + zero, Value(1.0, "leaf"), Value(0.0) / Value(0.0)]


def by_button(page: Page, name: str) -> None:
    page.click(f"#{name}")


def by_key(page: Page, name: str) -> None:
    page.keyboard.press({"first": "Home", "previous": "ArrowLeft", "next": "ArrowRight", "last": "End"}[name])


@pytest.mark.parametrize("move", [by_button, by_key])
@pytest.mark.parametrize("v", examples(), ids=repr)
def test_every_step_forward_and_back_shows_what_steps_gives(open_page: Open, v: Value, move: Callable[[Page, str], None]) -> None:
    recorded = steps(v)
    end = len(recorded) - 1
    shows = [expected(recorded, i) for i in range(end + 1)]
    page = open_page(written(recorded))
    for position in range(end + 1):
        assert page.evaluate(LOOK) == shows[position]
        if position < end:
            move(page, "next")
    for position in reversed(range(end)):
        move(page, "previous")
        assert page.evaluate(LOOK) == shows[position]
    if end:
        move(page, "last")
        assert page.evaluate(LOOK) == shows[end]
        move(page, "first")
        assert page.evaluate(LOOK) == shows[0]


@pytest.mark.parametrize("v", examples()[:3], ids=repr)
def test_the_slider_reaches_every_step_from_every_other(open_page: Open, v: Value) -> None:
    recorded = steps(v)
    end = len(recorded) - 1
    page = open_page(written(recorded))
    for position in [*range(end, -1, -1), *range(0, end + 1, 3), 0, end, end // 2]:
        page.locator("#slider").fill(str(position))
        assert page.evaluate(LOOK) == expected(recorded, position)
    page.focus("#slider")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(LOOK) == expected(recorded, 1)


def test_keys_at_the_ends_stay_there(open_page: Open) -> None:
    recorded = steps(sigmoid_example())
    page = open_page(written(recorded))
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(LOOK) == expected(recorded, 0)
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(LOOK) == expected(recorded, len(recorded) - 1)
    assert page.is_disabled("#next")


def test_keys_choose_the_speed_where_the_speed_has_the_focus(open_page: Open) -> None:
    recorded = steps(sigmoid_example())
    page = open_page(written(recorded))
    page.focus("#speed")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(LOOK) == expected(recorded, 0)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_play_runs_to_the_end_and_moves_nothing_where_motion_is_reduced(open_page: Open, motion: str) -> None:
    recorded = steps(sigmoid_example())
    page = open_page(written(recorded), reduced_motion=motion)
    page.evaluate("""() => {
        window.dots = 0;
        new MutationObserver((records) => {
            for (const record of records) for (const node of record.addedNodes) window.dots += node.id === "pulse";
        }).observe(document.querySelector("#picture"), { childList: true, subtree: true });
    }""")
    page.clock.install()
    page.select_option("#speed", "4")
    page.focus("#paper")
    page.keyboard.press(" ")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    for _ in recorded:
        page.clock.run_for(300)
    assert page.evaluate(LOOK) == expected(recorded, len(recorded) - 1)
    page.clock.run_for(400)
    assert page.get_attribute("#play", "aria-label") == "Play"
    moving = page.evaluate("""() => [...document.querySelectorAll("#picture *")].some((element) =>
        getComputedStyle(element).transitionDuration.split(",").some((duration) => parseFloat(duration) > 0))""")
    assert (page.evaluate("window.dots") > 0) == moving == (motion == "no-preference")


def test_a_step_by_hand_pauses(open_page: Open) -> None:
    recorded = steps(sigmoid_example())
    page = open_page(written(recorded))
    page.clock.install()
    page.click("#play")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#play", "aria-label") == "Play"
    page.clock.run_for(10_000)
    assert page.evaluate(LOOK) == expected(recorded, 1)


def test_every_control_has_a_name_and_the_rule_is_announced(open_page: Open) -> None:
    page = open_page(written(steps(sigmoid_example())))
    for role, names in {
        "button": ["First step", "Previous step", "Play", "Next step", "Last step"],
        "slider": ["Step"],
        "combobox": ["Speed"],
        "img": ["The computational graph"],
    }.items():
        for name in names:
            assert page.get_by_role(role, name=name, exact=True).count() == 1  # type: ignore[arg-type]
    assert page.locator("[aria-live=polite] #rule").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.get_attribute("#slider", "aria-valuetext") == "Forward, step 1 of 26"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_rule_can_be_read_in_light_and_dark_surroundings(open_page: Open, scheme: str) -> None:
    page = open_page(written(steps(sigmoid_example())), color_scheme=scheme)
    back = luminance(page, "body", "backgroundColor")
    for key in ("Home", "End"):
        page.keyboard.press(key)
        for part in ("#rule .name, #rule .frac", "#rule .sign", "#rule .result", "#note", "#phase", "#count"):
            light, dark = sorted((back, luminance(page, part, "color")), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, part


def luminance(page: Page, element: str, style: str) -> float:
    colour = page.evaluate("([element, style]) => getComputedStyle(document.querySelector(element))[style]", [element, style])
    shares = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def hostile_example() -> Value:
    with group(HOSTILE[0]):
        total: Value = total_of([Value(float(i), label) for i, label in enumerate(HOSTILE)])
    total.label = HOSTILE[1]
    return total


def test_hostile_labels_are_text_and_execute_nothing(open_page: Open) -> None:
    recorded = steps(hostile_example())
    page = open_page(written(recorded))
    for position in range(len(recorded)):
        assert page.evaluate(LOOK) == expected(recorded, position)
        page.keyboard.press("ArrowRight")
    assert page.locator("script").count() == 2
    assert page.locator("body img").count() == 0
    shown = texts_of(page)
    for label in ("<script>alert(1)</script>", "\"'&amp;&"):
        assert label in shown
    assert any(text.startswith("x" * 39) for text in shown)
    assert any("😀" in text for text in shown)


def texts_of(page: Page) -> list[str]:
    texts: list[str] = page.evaluate("[...document.querySelectorAll('#picture text')].map((text) => text.textContent)")
    return [text.replace("\u00a0", " ") for text in texts]


def test_backslashes_are_no_escapes_of_graphviz(open_page: Open) -> None:
    labels = ["{|}\\N\\n", "a\\\\b", "\\G\\L", "end\\"]
    shown = texts_of(open_page(written(steps(total_of([Value(1.0, label) for label in labels])))))
    assert [label for label in labels if label not in shown] == []


def test_a_page_of_300_values_follows_the_keys(open_page: Open) -> None:
    recorded = steps(network([6, 6, 6, 4]))
    page = open_page(written(recorded))
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(LOOK)["slider"] == 50
    assert page.evaluate(LOOK)["boxes"] == expected(recorded, 50)["boxes"]
    page.keyboard.press("End")
    assert page.evaluate(LOOK)["boxes"] == expected(recorded, len(recorded) - 1)["boxes"]
    assert page.evaluate(LOOK)["pending"] == []


# The size of the picture ------------------------------------------------------------------------------------------------

IN_A_NOTEBOOK = {"width": 850, "height": 560}
SMALLEST, NATURAL = 0.75, 4 / 3  # pixels for each point of the picture

SIZE = """() => {
    const picture = document.getElementById("picture"), paper = document.getElementById("paper");
    const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
    const shown = picture.getBoundingClientRect();
    const scrolls = (element) => element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    return {
        across: shown.width / width, down: shown.height / height, scrolls: scrolls(paper), page: scrolls(document.documentElement),
    };
}"""

INSIDE = """(elements) => {
    const paper = document.getElementById("paper").getBoundingClientRect();
    return elements.length > 0 && elements.every((element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        return left >= paper.left && right <= paper.right && top >= paper.top && bottom <= paper.bottom;
    });
}"""


def scale_of(page: Page) -> float:
    """How large the picture is shown, which is the same in both directions."""
    size = page.evaluate(SIZE)
    scale: float = size["across"]
    assert scale == pytest.approx(size["down"], rel=1e-3)
    assert not size["page"]
    return scale


def test_all_of_a_small_picture_is_in_view_in_a_notebook(open_page: Open) -> None:
    recorded = steps(sigmoid_example())
    page = open_page(written(recorded), viewport=IN_A_NOTEBOOK)
    for _ in recorded:
        assert SMALLEST <= scale_of(page) <= 1
        assert not page.evaluate(SIZE)["scrolls"]
        assert page.locator("#picture text").evaluate_all(INSIDE)
        page.keyboard.press("ArrowRight")


def test_no_picture_is_enlarged(open_page: Open) -> None:
    page = open_page(written(steps(Value(1.0, "leaf"))), viewport={"width": 2500, "height": 1500})
    assert scale_of(page) == pytest.approx(NATURAL, rel=1e-3)


def test_the_picture_follows_the_size_of_the_window(open_page: Open) -> None:
    page = open_page(written(steps(sigmoid_example())), viewport=IN_A_NOTEBOOK)
    before = scale_of(page)
    for width, height, expectation in [
        (1300, 900, f"size.across > {before} * 1.2 && !size.scrolls"),
        (500, 560, f"size.across > {before} && size.scrolls"),  # too narrow to read all of it at once
        (850, 560, f"size.across === {before} && !size.scrolls"),
    ]:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"() => {{ const size = ({SIZE})(); return {expectation}; }}")


def test_without_scripts_the_picture_shows_every_number(open_page: Open) -> None:
    page = open_page(written(steps(sigmoid_example())), viewport=IN_A_NOTEBOOK, java_script_enabled=False)
    assert page.locator("#picture text:visible").count() == page.locator("#picture text").count() > 0
    assert page.locator("button:visible").count() == 0
    for node in page.locator("#picture .node").all():
        frame = node.locator("ellipse, path, polygon").last.bounding_box()
        assert frame is not None
        for text in node.locator("text").all():
            box = text.bounding_box()
            assert box is not None
            assert frame["x"] <= box["x"] <= box["x"] + box["width"] <= frame["x"] + frame["width"]


def test_the_current_box_of_a_large_picture_is_scrolled_into_view(open_page: Open) -> None:
    recorded = steps(network([6, 6, 6, 4]))
    page = open_page(written(recorded), reduced_motion="reduce", viewport=IN_A_NOTEBOOK)
    for position in (0, 60, 150, len(recorded) - 60):
        page.locator("#slider").fill(str(position))
        for _ in range(40):
            page.keyboard.press("ArrowRight")
            assert page.locator("#picture .node.reached, html:not(.backward) #picture .node.now").evaluate_all(INSIDE)
    assert scale_of(page) >= SMALLEST
    assert page.evaluate(SIZE)["scrolls"]


# Notebooks ---------------------------------------------------------------------------------------------------------------


def surrounded(output: str) -> str:
    return f"<!DOCTYPE html><title>A notebook</title><body>{output}</body>"


def frame_of(page: Page) -> Frame:
    page.wait_for_selector("iframe")
    (frame,) = page.main_frame.child_frames
    frame.wait_for_selector("#rule span")
    return frame


def test_a_notebook_shows_the_page_in_a_frame_and_hides_the_picture(open_page: Open) -> None:
    v = sigmoid_example()
    recorded = steps(v)
    page = open_page(surrounded(embedded(recorded) + embedded(steps(diamond()[-1]))))
    assert page.locator("img").count() == page.locator("img:not(:visible)").count() == 2
    page.wait_for_selector("iframe")
    frame = page.main_frame.child_frames[0]
    frame.wait_for_selector("#rule span")
    for position in range(5):
        assert frame.evaluate(LOOK) == expected(recorded, position)
        frame.click("#next")
    frame.locator("#picture").press("End")
    assert frame.evaluate(LOOK) == expected(recorded, len(recorded) - 1)


def test_hostile_labels_stay_inside_the_frame(open_page: Open) -> None:
    recorded = steps(hostile_example())
    page = open_page(surrounded(embedded(recorded)))
    assert frame_of(page).evaluate(LOOK) == expected(recorded, 0)
    assert page.locator("body > :not(iframe, img, style)").count() == 0


def test_an_untrusted_notebook_shows_the_picture(open_page: Open) -> None:
    stripped = re.sub(r"<style>.*?</style>|<iframe.*?</iframe>", "", embedded(steps(sigmoid_example())), flags=re.DOTALL)
    page = open_page(surrounded(stripped))
    assert page.locator("iframe").count() == 0
    assert page.locator("img:visible").count() == 1
    page.wait_for_function("document.querySelector('img').complete")
    assert page.evaluate("document.querySelector('img').naturalWidth") > 0


def test_a_frame_in_a_strict_sandbox_still_steps(open_page: Open) -> None:
    recorded = steps(diamond()[-1])
    inner = embedded(recorded).replace("&", "&amp;").replace('"', "&quot;")
    page = open_page(surrounded(f'<iframe sandbox="allow-scripts" width="900" height="700" srcdoc="{inner}"></iframe>'))
    (outer,) = page.main_frame.child_frames
    outer.wait_for_selector("iframe")
    (frame,) = outer.child_frames
    frame.wait_for_selector("#rule span")
    frame.click("#last")
    assert frame.evaluate(LOOK) == expected(recorded, len(recorded) - 1)


def test_groups_are_stepped_at_once(open_page: Open) -> None:
    level = [Value(0.5, "x"), Value(-0.5, "y")]
    for layer in range(3):
        with group(f"layer {layer}"):
            level = [total_of([x * (0.1 + i) for x in level]).tanh() for i in range(14)]
    recorded = steps(total_of(level))
    page = open_page(written(recorded))
    page.keyboard.press("End")
    end = page.evaluate(LOOK)
    assert end["slider"] < len(recorded) // 4
    assert end["pending"] == []
    for _ in range(end["slider"]):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate(LOOK)["slider"] == 0
    assert page.locator("#picture .node").count() - page.locator("#picture .node.future").count() == 1
