#!/usr/bin/env python3
"""The pages in a real browser: `run.py FOLDER`, where the example `browser_pages` has written them.

`run.py FOLDER --pictures TO` also takes pictures of them. Wants chromium and chromedriver on the path.
"""

import json
import math
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from driver import Browser, missing  # noqa: E402
import playground  # noqa: E402
import pictures  # noqa: E402
from steps import go, open_page, position, scene  # noqa: E402

MOST_SECONDS = 5


def close(one, other, digits):
    """Whether two lists of numbers, or what JSON has for those it has not, are the same."""
    if one is None or other is None:
        return one is other
    if len(one) != len(other):
        return False
    scale = max([abs(number) for number in other if not isinstance(number, str)], default=0.0)
    return all(
        a == b
        or not isinstance(a, str)
        and not isinstance(b, str)
        and math.isclose(a, b, rel_tol=10.0**-digits, abs_tol=10.0**-digits * max(scale, 1e-3))
        for a, b in zip(one, other)
    )


def compare(found, expected, digits):
    """All values and gradients of a scene beside those that native code computed."""
    lines = {str(line["number"]): line for line in found["lines"]}
    assert set(lines) == set(expected), (sorted(lines), sorted(expected))
    compared = 0
    for number, outputs in expected.items():
        for output, numbers in zip(lines[number]["outputs"], outputs, strict=True):
            for kind in ("value", "grad"):
                data = output[kind] and output[kind]["data"]
                assert close(data, numbers[kind], digits), (
                    number,
                    lines[number]["text"],
                    kind,
                    data,
                    numbers[kind],
                )
                compared += data is not None
    assert compared > len(lines), "nothing was compared"
    return compared


def lstm_is_walked_to_its_end_with_keys(browser, folder):
    open_page(browser, folder / "lstm.html")
    last = browser.run("return wengert.page.walk.last")
    said = set()
    for at in range(last):
        assert position(browser) == at
        said.add(browser.run("return document.getElementById('said').textContent"))
        browser.press("Right")
    assert position(browser) == last and len(said) == last, "each step is said in words of its own"
    browser.press("Right")
    assert position(browser) == last
    expected = json.loads((folder / "lstm.json").read_text())
    compared = compare(scene(browser), expected["before"], expected["digits"])
    shown = browser.run("""return [...document.querySelectorAll('.result')].map((result) => [
        result.querySelector('.tile-name').textContent,
        [...result.querySelectorAll('.tile.backward td')].map((cell) => Number(cell.title))])""")
    shown = {name: numbers for name, numbers in shown if numbers}
    assert len(shown) >= 3
    for name, numbers in shown.items():
        assert close(numbers, expected["gradients"][name], expected["digits"]), name
    print(f"    {last} steps by keys, {compared} values and gradients as native code has them")


def products_wait_and_become_one(browser, folder):
    open_page(browser, folder / "lstm.html")
    events = scene(browser)["backward"]
    places = [at for at, event in enumerate(events) if event["kind"] == "pull" and event["waits"]]
    assert places, "an LSTM's weights are shared by its steps"
    forward = browser.run("return wengert.page.walk.forward")
    for at in places:
        go(browser, forward + at)
        counts = browser.run(
            "return [...document.querySelectorAll('.card.top b')].map((count) => Number(count.textContent))"
        )
        assert counts == [wait["waiting"] for wait in events[at]["waits"]]
    product = next(at for at, event in enumerate(events) if event["kind"] == "product")
    go(browser, forward + product)
    assert browser.run("return document.querySelector('.card.top b').textContent") == str(
        events[product]["count"]
    )
    assert browser.run("return document.querySelector('g.node.current') !== null")
    meeting = [
        (at, give)
        for at, event in enumerate(events)
        if event["kind"] == "pull"
        for give in event["gives"]
        if give["of"] > 1
    ]
    assert meeting, "the state of an LSTM is used twice"
    go(browser, forward + meeting[0][0])
    text = browser.run("return document.getElementById('step').textContent")
    assert f"{meeting[0][1]['arrived']} of {meeting[0][1]['of']} arrived" in text, text


def an_input_is_edited(browser, folder):
    open_page(browser, folder / "lstm.html")
    expected = json.loads((folder / "lstm.json").read_text())
    line = next(at for at, line in enumerate(scene(browser)["lines"]) if line["number"] == expected["edited"])
    go(browser, line)
    field = f'[data-field="{expected["edited"]}.{expected["element"]}"]'
    browser.type(field, "no number")
    browser.press("Tab")
    assert (
        browser.run("return document.querySelector(arguments[0]).getAttribute('aria-invalid')", field)
        == "true"
    )
    browser.run("globalThis.before = wengert.page.walk")
    browser.type(field, str(expected["number"]))
    browser.press("Tab")
    browser.until("return wengert.page.walk !== before")
    assert position(browser) == line, "the place is kept"
    assert browser.run("return document.activeElement.dataset.field !== undefined"), "the focus is kept"
    compared = compare(scene(browser), expected["after"], expected["digits"])
    print(f"    {compared} values and gradients after an edit as native code has them")
    # What cannot be computed is said, and what there was stays.
    browser.run(
        "const ask = wengert.engine.ask; wengert.engine.ask = async function (request) {"
        " wengert.engine.ask = ask; return ask.call(this, { tape: 5, type: request.type }); };"
        " globalThis.before = wengert.page.walk"
    )
    browser.type(field, "7")
    browser.press("Tab")
    browser.until("return !document.getElementById('trouble').hidden")
    assert "be computed" in browser.run("return document.getElementById('trouble').textContent")
    assert browser.run("return wengert.page.walk === before")
    # So is a trap, after which the engine begins anew.
    browser.run(
        "wengert.engine.running().then((engine) => { wengert.engine.instance = { exports: {"
        " ...engine, answer() { throw new WebAssembly.RuntimeError('unreachable'); }, failure: () => 0 } }; })"
    )
    browser.type(field, "8")
    browser.press("Tab")
    browser.until("return document.getElementById('trouble').textContent.includes('unreachable')")
    browser.type(field, "9")
    browser.press("Tab")
    browser.until("return wengert.page.walk !== before && document.getElementById('trouble').hidden")


def keys_buttons_and_clicks(browser, folder):
    open_page(browser, folder / "lstm.html")
    last, forward = browser.run("return [wengert.page.walk.last, wengert.page.walk.forward]")
    for key, at in (
        ("End", last),
        ("Left", last - 1),
        ("Home", 0),
        ("Down", 1),
        ("Up", 0),
        ("b", forward),
        ("f", 0),
    ):
        browser.press(key)
        assert position(browser) == at, key
    for name, at in (
        ("next", 1),
        ("last", last),
        ("back", last - 1),
        ("first", 0),
        ("phase-backward", forward),
        ("phase-forward", 0),
    ):
        browser.click(f"#{name}")
        assert position(browser) == at, name
    browser.run("document.activeElement.blur(); document.getElementById('pace').value = '10'")
    browser.press("Space")
    browser.until("return wengert.page.position > 1")
    browser.press("Space")
    assert browser.run("return wengert.page.transport.timer") is None
    browser.run("document.getElementById('slider').focus()")
    browser.press("End")
    assert position(browser) == last
    browser.run("document.activeElement.blur()")
    browser.press("Home", "u")
    assert browser.run("return document.getElementById('unrolled').getAttribute('aria-pressed')") == "true"
    go(browser, forward - 1)
    for kind in ("unrolled", "rolled"):
        assert browser.run("return document.querySelectorAll('g.node.current').length") == 1, kind
        assert browser.run(
            "const pane = document.getElementById('graph').getBoundingClientRect();"
            "const box = document.querySelector('g.node.current').getBoundingClientRect();"
            "return box.bottom > pane.top && box.top < pane.bottom"
        ), "the node is in sight"
        browser.press("u")
    browser.click(f"#line-{browser.run('return wengert.page.walk.scene.lines[1].number')}")
    assert position(browser) == 1
    target = browser.run(
        "const line = wengert.page.walk.scene.lines[2].number; const node = wengert.page.graph.ofLine.get(line);"
        "node.group.focus(); return node.lines.map((line) => wengert.page.walk.places.get(line))"
    )
    browser.press("Enter")
    assert position(browser) in target
    browser.press("?")
    assert browser.run("return document.getElementById('help').open")
    browser.press("Escape")
    assert not browser.run("return document.getElementById('help').open")


def a_long_recording_opens_at_once(browser, folder):
    open_page(browser, folder / "long.html")
    ready = int(browser.run("return document.documentElement.dataset.ready"))
    lines = json.loads((folder / "long.json").read_text())["lines"]
    print(f"    a recording of {lines} lines: {ready} ms from the request to the first step that is shown")
    assert ready < 1000 * MOST_SECONDS
    browser.press("End", "Home", "Right")


def a_million_nodes_are_told_in_words(browser, folder):
    open_page(browser, folder / "million.html")
    words = browser.run("return document.getElementById('remarks').textContent")
    assert "000" in words and len(words) > 40, words
    ready = browser.run("return document.documentElement.dataset.ready")
    print(f"    a million nodes, {ready} ms: {words}")


def names_do_not_run(browser, folder):
    open_page(browser, folder / "names.html")
    names = json.loads((folder / "names.json").read_text())
    assert browser.run("return globalThis.hacked") is None
    assert browser.run("return document.getElementById('title').textContent") == names["title"]
    found = [line["name"] for line in scene(browser)["lines"]]
    assert set(names["names"]) <= set(found), found
    last = browser.run("return wengert.page.walk.last")
    for at in range(last + 1):
        go(browser, at)
        assert browser.run("return document.querySelectorAll('img, iframe, object, a').length") == 0
    browser.press("u")
    assert browser.run("return globalThis.hacked") is None


def bad_input_is_told(browser, folder):
    for path in sorted(folder.glob("bad-*.html")):
        open_page(browser, path)
        expected = json.loads(path.with_suffix(".json").read_text())["words"]
        text = browser.run("return document.body.innerText")
        assert expected in text, (path.name, expected, text)
        browser.press("End", "Left", "Home")
        assert not browser.complaints(), path.name


def every_control_has_a_name(browser, folder):
    roles = {
        "button",
        "slider",
        "combobox",
        "textbox",
        "listbox",
        "option",
        "link",
        "image",
        "img",
        "region",
        "checkbox",
    }
    for name in ("lstm.html", "playground.html"):
        open_page(browser, folder / name)
        checked = 0
        for at in (0, 3, browser.run("return wengert.page.walk.forward + 3"), 10**6):
            go(browser, at)
            for node in browser.devtools("Accessibility.getFullAXTree")["nodes"]:
                if node.get("ignored") or node.get("role", {}).get("value") not in roles:
                    continue
                checked += 1
                assert node.get("name", {}).get("value", "").strip(), (name, at, node)
        assert checked > 50
        assert browser.run(
            "return document.documentElement.lang && document.querySelectorAll('h1').length === 1"
        )


def nothing_overflows(browser, folder):
    for width, height in ((390, 844), (768, 1024), (1100, 700), (1440, 900)):
        browser.size(width, height)
        for name in ("lstm.html", "playground.html"):
            open_page(browser, folder / name)
            for at in (0, 5, browser.run("return wengert.page.walk.forward + 5"), 10**6):
                go(browser, at)
                wide = browser.run("return document.scrollingElement.scrollWidth - innerWidth")
                assert wide <= 0, (name, width, at, wide)
    browser.size(1440, 900)


def colours_turn(browser, folder):
    open_page(browser, folder / "lstm.html")
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.prefer(prefers_color_scheme="light")
    light = browser.run(ground)
    browser.click("#theme")
    dark = browser.run(ground)
    assert light != dark
    browser.click("#theme")
    assert browser.run(ground) == light
    browser.run("delete document.documentElement.dataset.theme")
    browser.prefer(prefers_color_scheme="dark")
    assert browser.run(ground) == dark
    browser.prefer(prefers_color_scheme="light")


TESTS = [
    lstm_is_walked_to_its_end_with_keys,
    products_wait_and_become_one,
    an_input_is_edited,
    keys_buttons_and_clicks,
    a_long_recording_opens_at_once,
    a_million_nodes_are_told_in_words,
    names_do_not_run,
    bad_input_is_told,
    every_control_has_a_name,
    nothing_overflows,
    colours_turn,
    *playground.TESTS,
]


def main():
    if missing():
        sys.exit(f"there is no {' and no '.join(missing())} here")
    folder = pathlib.Path(sys.argv[1]).resolve()
    failed = 0
    with Browser() as browser:
        browser.complaints(), browser.requests()
        for test in TESTS:
            begin = time.monotonic()
            try:
                browser.prefer(prefers_reduced_motion="reduce", prefers_color_scheme="light")
                test(browser, folder)
                assert not (complaints := browser.complaints()), complaints
                asked = [
                    address
                    for address in browser.requests()
                    if not address.startswith((folder.as_uri(), "chrome"))
                ]
                assert not asked, asked
                result = "ok"
            except Exception as error:  # noqa: BLE001
                failed += 1
                result = f"FAILED: {error!r:.2000}"
            print(
                f"{test.__name__.replace('_', ' ')} ... {result} ({time.monotonic() - begin:.1f} s)",
                flush=True,
            )
        if "--pictures" in sys.argv:
            pictures.take(browser, folder, pathlib.Path(sys.argv[sys.argv.index("--pictures") + 1]))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
