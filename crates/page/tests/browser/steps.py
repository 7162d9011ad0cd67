"""What all tests of the pages do."""


def open_page(browser, path):
    """Opens a page and waits until it can be used."""
    browser.open(path.as_uri() if hasattr(path, "as_uri") else path)
    browser.until("return document.documentElement.dataset.ready")


def go(browser, position):
    browser.run("wengert.page.go(arguments[0])", position)


def position(browser):
    return browser.run("return wengert.page.position")


def scene(browser):
    return browser.run("return wengert.page.walk.scene")
