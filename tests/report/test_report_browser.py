"""The page as a browser sees it: no script runs, nothing is asked for, nothing overlaps, all can be read."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from example_results import VARIANTS, example, small
from hostile_texts import SCRIPTS, poisoned

from warmstart.report.forms.html import Html, page

WIDTHS = (1200, 390)
POLICY = 'http-equiv="Content-Security-Policy"'
PAGES = 13  # poisoned pages that are opened as one, to save time
LAYOUT = """() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const hits = [];
  for (const svg of document.querySelectorAll('svg')) {
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
      const [a, b] = [boxes[i][1], boxes[j][1]];
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (x > 1 && y > 3) hits.push([boxes[i][0], boxes[j][0]]);
    }
    for (const [text, box] of boxes)
      if (box.left < -1 || box.right > innerWidth + 1) hits.push([text, 'the edge of the page']);
  }
  const blocks = [...document.querySelectorAll('main > section, body > header, body > nav')];
  for (let i = 1; i < blocks.length; i++) for (let j = 0; j < i; j++) {
    const [a, b] = [blocks[i].getBoundingClientRect(), blocks[j].getBoundingClientRect()];
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 1 && y > 1) hits.push([blocks[i].id, blocks[j].id]);
  }
  return {hits, wide: document.documentElement.scrollWidth - innerWidth};
}"""
CONTRAST = """() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > .99) return c; } return [255, 255, 255, 1]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), poor = [];
  let seen = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || ['TITLE', 'DESC', 'title', 'desc', 'STYLE'].includes(e.tagName)) continue;
    const style = getComputedStyle(e), ink = e.namespaceURI.endsWith('svg') ? style.fill : style.color;
    const [a, b] = [light(parse(ink)), light(ground(e))].sort((x, y) => y - x);
    seen++;
    if ((a + .05) / (b + .05) < 4.5) poor.push([node.data.trim().slice(0, 30), ink]);
  }
  return {seen, poor};
}"""


class Watch:
    """A tab that remembers what it was asked for and whether anything ran."""

    def __init__(self, browser, **settings):
        self.tab = browser.new_context(**settings).new_page()
        self.requests, self.alarms = [], []
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("dialog", lambda dialog: (self.alarms.append(dialog.message), dialog.dismiss()))
        self.tab.on("pageerror", lambda error: self.alarms.append(str(error)))

    def open(self, path):
        self.requests.clear()
        self.tab.goto(path.as_uri())
        return [url for url in self.requests if url != path.as_uri() and not url.startswith("data:")]

    def close(self):
        self.tab.context.close()


@pytest.fixture
def watch(browser):
    watch = Watch(browser)
    yield watch
    watch.close()


def test_no_text_runs_or_asks_for_anything_even_without_the_policy(watch, tmp_path):
    """The escaping alone must hold, so the policy, which is the second wall, is taken away."""
    result = small()
    path = tmp_path / "report.html"
    for turn in range(0, len(SCRIPTS), PAGES):
        html = "".join(page(poisoned(result, SCRIPTS, turn + i)) for i in range(PAGES))
        path.write_text(html.replace(POLICY, 'name="none"'), "utf-8")
        assert watch.open(path) == []
        found = watch.tab.evaluate(
            "[window.pwned, document.querySelectorAll('script, iframe, object, embed, input, form').length,"
            " [...document.querySelectorAll('*')].some("
            "   e => [...e.attributes].some(a => /^on/i.test(a.name)))]"
        )
        assert found == [None, 0, False], SCRIPTS[turn]
    assert watch.alarms == []


@pytest.fixture
def lure():
    """A server that counts what is asked of it."""

    class Count(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Count) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("policy", [True, False], ids=["with", "without"])
def test_the_policy_alone_stops_scripts_and_requests(watch, tmp_path, lure, policy):
    """Markup that was not escaped, as if the first wall had fallen; without the policy it does its harm."""
    address, asked = lure
    evil = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    evil += f"<img src={address}/i><link rel=stylesheet href={address}/c><iframe src={address}/f></iframe>"
    html = page(example()).replace("<main>", f"<main>{evil}")
    path = tmp_path / "report.html"
    path.write_text(html if policy else html.replace(POLICY, 'name="none"'), "utf-8")
    watch.open(path)
    assert watch.tab.evaluate("document.querySelectorAll('script').length") == 1
    assert (watch.tab.evaluate("window.pwned"), sorted(asked)) == (
        (None, []) if policy else (1, ["/c", "/f", "/i"])
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_and_no_page_scrolls_sideways(browser, tmp_path, width):
    watch = Watch(browser, viewport={"width": width, "height": 900})
    for name, make in VARIANTS.items():
        assert watch.open(Html().write(make(), tmp_path / name)) == []
        layout = watch.tab.evaluate(LAYOUT)
        assert layout == {"hits": [], "wide": 0}, name
    assert watch.alarms == []
    watch.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(browser, tmp_path, scheme):
    watch = Watch(browser, color_scheme=scheme)
    for verdict in ("worth it", "not worth it", "cannot tell"):
        watch.open(Html().write(example(verdict=verdict), tmp_path / verdict))
        found = watch.tab.evaluate(CONTRAST)
        assert found["seen"] > 300 and found["poor"] == [], verdict
    paper = watch.tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (paper == "rgb(253, 252, 249)") == (scheme == "light")
    watch.close()


def test_pictures_are_shown_and_the_page_works_without_scripts(browser, tmp_path):
    watch = Watch(browser)
    path = Html().write(example(images=True, mistakes=20), tmp_path)
    assert watch.open(path) == []
    assert watch.tab.evaluate("[...document.images].filter(i => i.naturalWidth > 0).length") == 20
    watch.close()
    silent = Watch(browser, java_script_enabled=False)
    silent.open(path)
    assert silent.tab.get_by_role("heading", level=1).inner_text() == "Worth it"
    assert silent.tab.get_by_role("img", name="Test accuracy of every run", exact=True).is_visible()
    silent.close()


def test_all_that_is_folded_is_printed(browser, tmp_path):
    watch = Watch(browser)
    watch.open(Html().write(example(), tmp_path))
    folded = "document.querySelector('#anatomy pre').checkVisibility()"
    assert watch.tab.evaluate(folded) is False
    watch.tab.emulate_media(media="print")
    assert watch.tab.evaluate("document.querySelector('#anatomy pre').getBoundingClientRect().height") > 50
    assert len(watch.tab.pdf()) > 20_000
    watch.close()
