"""The window of a page, played by Node.js: its script runs with the client, a story is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.howto.project import node
from tests.pages import ROOT

PACKAGE = "django_aws_api_gateway_websockets"
CLIENT = ROOT / PACKAGE / "static" / PACKAGE / "client.js"
DATA = re.compile(r'<script id="websocket" type="application/json">(.*)</script>')
SCRIPT = re.compile(r'<script type="module">(.*?)</script>', re.DOTALL)

#: The network's edge and the document. Steps of a story are awaited, so that promises settle.
EDGE = """
const elements = {}, sockets = [], asked = [];
const find = (id) => (elements[id] ??= {});
const last = () => sockets.at(-1);
const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

globalThis.document = { getElementById: find, addEventListener() {}, cookie };
globalThis.fetch = async (url, request) => {
  asked.push({ url, ...request });
  return { ok: true, json: async () => ({ ws_token: "abc" }) };
};
globalThis.WebSocket = class {
  readyState = 0;
  said = [];
  constructor(url) { this.url = url; sockets.push(this) }
  send(text) { this.said.push(JSON.parse(text)) }
  close() {}
  accept() { this.readyState = 1; this.onopen(); return pause() }
  bring(json) { this.onmessage({ data: JSON.stringify(json) }); return pause() }
  end(code) { this.readyState = 3; this.onclose({ code }); return pause() }
};
"""

TELL = """
const tell = async () => {{
  while (!sockets.length) await pause();
  {story}
}};
import({page});
tell().then((result) => {{ console.log(JSON.stringify(result)); process.exit() }});
"""


def data_of(html: str) -> Any:
    """Return what the tag has left in a page for the client."""
    return json.loads(DATA.search(html)[1])  # type: ignore[index]


def run_script(directory: Path, page: str, story: str, cookie: str = "") -> Any:
    """Run the script of a page, or one that is a file; return what the story returns."""
    script = "".join(SCRIPT.findall(page)) or page
    script, count = re.subn(r'(?<=from ")[^"]*/client\.js(?=")', CLIENT.as_uri(), script)
    assert count == 1
    file = directory / "page.mjs"
    file.write_text(script, encoding="utf-8")
    data = DATA.search(page)
    given = f"const cookie = {json.dumps(cookie)};"
    fill = f"find('websocket').textContent = {json.dumps(data and data[1])};"
    return node(TELL.format(story=story, page=json.dumps(file.as_uri())), given, EDGE, fill)
