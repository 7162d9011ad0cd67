"""Pictures of the pages, for the documents."""

import time

from steps import go, open_page, scene


def take(browser, folder, to):
    to.mkdir(parents=True, exist_ok=True)

    def shot(name):
        time.sleep(0.2)
        browser.picture(to / f"{name}.png")

    browser.size(1360, 940)
    browser.prefer(prefers_reduced_motion="reduce", prefers_color_scheme="light")
    open_page(browser, folder / "lstm.html")
    events = scene(browser)["backward"]
    forward = browser.run("return wengert.page.walk.forward")
    operations = [at for at, line in enumerate(scene(browser)["lines"]) if line["operation"] != "leaf"]
    go(browser, operations[len(operations) // 2])
    shot("forward")
    waiting = [
        at
        for at, event in enumerate(events)
        if event["kind"] == "pull" and any(wait["waiting"] > 1 for wait in event["waits"])
    ]
    go(browser, forward + waiting[len(waiting) // 2])
    browser.run("document.querySelector('.waiting').scrollIntoView({ block: 'end' })")
    shot("waiting")
    browser.prefer(prefers_reduced_motion="reduce", prefers_color_scheme="dark")
    meeting = [
        at
        for at, event in enumerate(events)
        if event["kind"] == "pull" and any(give["of"] > 1 for give in event["gives"])
    ]
    go(browser, forward + meeting[len(meeting) // 2])
    shot("dark")
    browser.prefer(prefers_reduced_motion="reduce", prefers_color_scheme="light")
    open_page(browser, folder / "playground.html")
    go(browser, browser.run("return wengert.page.walk.forward") + 3)
    shot("playground")
    browser.size(390, 844)
    open_page(browser, folder / "lstm.html")
    go(browser, forward + waiting[0])
    shot("phone")
