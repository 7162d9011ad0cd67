"""The playground in a real browser."""

from steps import go, open_page, position, scene

WRITE = "wengert.editor.field.value = arguments[0]; wengert.editor.field.dispatchEvent(new Event('input'))"


def computed(browser, program):
    """Types a program and waits until it has been run."""
    browser.run("globalThis.before = wengert.page.walk; document.getElementById('text-error').hidden = true")
    browser.run(WRITE, program)
    browser.until("return wengert.page.walk !== before || !document.getElementById('text-error').hidden")


def examples(browser):
    names = browser.run(
        "return [...document.querySelectorAll('#examples option')].map((option) => option.textContent)"
    )
    return range(len(names) - 1), names[1:]


def choose(browser, place):
    browser.run(
        "globalThis.before = wengert.page.walk; document.getElementById('text-error').hidden = true;"
        "const choice = document.getElementById('examples'); choice.value = arguments[0];"
        "choice.dispatchEvent(new Event('change'))",
        str(place),
    )
    browser.until("return wengert.page.walk !== before || !document.getElementById('text-error').hidden")


def error(browser):
    return browser.run(
        "const words = document.getElementById('text-error'); return words.hidden ? '' : words.textContent"
    )


def every_example_runs_and_agrees_with_differences(browser, folder):
    open_page(browser, folder / "playground.html")
    places, names = examples(browser)
    assert len(names) >= 6, names
    for place, name in zip(places, names):
        choose(browser, place)
        if "mistake" in name:
            assert error(browser), name
            continue
        assert not error(browser), (name, error(browser))
        check = scene(browser)["check"]
        assert check["rows"], name
        for row in check["rows"]:
            for one, other in zip(row["analytical"].get("data", []), row["numerical"].get("data", [])):
                assert abs(one - other) <= 1e-5 * max(1.0, abs(one)), (name, row)
        rows = browser.run("return document.querySelectorAll('#check-rows tr').length")
        assert rows == len(check["rows"])
        go(browser, 10**6)


def a_mistake_is_marked_where_it_is(browser, folder):
    open_page(browser, folder / "playground.html")
    good = browser.run("return wengert.editor.text")
    browser.run("globalThis.shown = wengert.page.walk")
    lines = good.rstrip("\n").split("\n")
    lines.append("wrong = nowhere + 1")
    computed(browser, "\n".join(lines))
    words = error(browser)
    line = len(lines)
    assert f"Line {line}, column 9" in words and "nowhere" in words, words
    assert browser.run("return document.querySelector('#backdrop mark').textContent") == "nowhere"
    assert browser.run("return document.querySelector('#gutter .wrong').textContent") == str(line)
    place = browser.run(
        "const mark = document.querySelector('#backdrop mark'); return [...mark.parentNode.parentNode.children].indexOf(mark.parentNode)"
    )
    assert place == line - 1
    faint = "return getComputedStyle(document.querySelector('.middle')).opacity < 1"
    assert browser.run(faint)
    assert browser.run(
        "return wengert.page.walk === shown"
    ), "the walk stays that of the last program that ran"
    computed(browser, good)
    assert not error(browser) and browser.run("return document.querySelector('#backdrop mark')") is None


def the_address_keeps_the_program(browser, folder):
    open_page(browser, folder / "playground.html")
    program = browser.run("return wengert.editor.text") + "\n# \u00fc <b> % & #"
    computed(browser, program)
    address = browser.run("return location.href")
    browser.open("about:blank")
    open_page(browser, address)
    assert browser.run("return wengert.editor.text") == program
    assert not error(browser)
    # What others put there is a text, and nothing else.
    browser.open("about:blank")
    open_page(browser, address.split("#")[0] + "#%3C/textarea%3E%3Cimg src=x onerror=%22hacked=1%22%3E%")
    assert browser.run("return globalThis.hacked") is None


def a_value_is_edited_in_the_playground(browser, folder):
    open_page(browser, folder / "playground.html")
    lines = scene(browser)["lines"]
    place = next(at for at, line in enumerate(lines) if line["editable"])
    go(browser, place)
    browser.run("globalThis.before = wengert.page.walk")
    browser.type(f'[data-field="{lines[place]["number"]}.0"]', "0.125")
    browser.press("Tab")
    browser.until("return wengert.page.walk !== before")
    assert position(browser) == place
    assert scene(browser)["lines"][place]["outputs"][0]["value"]["data"][0] == 0.125
    assert scene(browser)["backward"] and browser.run("return document.getElementById('trouble').hidden")


TESTS = [
    every_example_runs_and_agrees_with_differences,
    a_mistake_is_marked_where_it_is,
    the_address_keeps_the_program,
    a_value_is_edited_in_the_playground,
]
