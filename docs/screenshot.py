#!/usr/bin/env python3
"""Screenshot of the demo: two people chat, each in a window of Debian's Chromium.

    make screenshot          writes docs/images/demo.png

It runs a copy of the demo, so nothing is left in example/. Needs Playwright and Pillow, which
`make docs` installs in .venv-tools, and of Debian:

    apt-get install chromium fonts-liberation
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict

from PIL import Image
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.example.demo import Demo  # noqa: E402 (found through the line above)

PICTURE = ROOT / "docs" / "images" / "demo.png"
#: Of each window, in CSS pixels.
WIDTH, HEIGHT = 560, 620
#: Pixels of the picture to one of CSS.
SCALE = 1.5

TALK = (
    ("alice", "Good morning! Is anybody here?"),
    ("Carol", "Good morning, alice. I have just come in, as a guest."),
    ("alice", "Then this went from my page to the gateway, to Django, and back to us both."),
    ("Carol", "And no process of the site holds a socket?"),
    ("alice", "None. The gateway does."),
)

#: What is put around the two windows.
FRAME = """<!doctype html>
<style>
  body {{ margin: 0; padding: 20px; display: flex; gap: 20px; width: max-content;
          background: #e4e9e3; font: 600 13px "Liberation Sans", sans-serif; color: #566159; }}
  figure {{ margin: 0; border-radius: 10px; overflow: hidden; background: #fff;
            box-shadow: 0 2px 14px #0003; }}
  figcaption {{ padding: 9px 14px; background: #d5dcd4; display: flex; gap: 7px; }}
  i {{ width: 11px; height: 11px; margin: 2px 0; border-radius: 50%; background: #a9b5aa; }}
  b {{ margin-left: 8px; font-weight: 600; }}
  img {{ display: block; width: {width}px; }}
</style>
{figures}"""
FIGURE = (
    "<figure><figcaption><i></i><i></i><i></i><b>{title}</b></figcaption>"
    '<img src="data:image/png;base64,{data}"></figure>'
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
        )
        demo = Demo(Path(folder))
        try:
            demo.start()
            pages = enter(browser, demo.url)
            chat(pages)
            save(photograph(browser, pages))
        finally:
            demo.kill()
            browser.close()


def enter(browser: Any, url: str) -> Dict[str, Any]:
    """Open a window for each: alice, who logs in, and Carol, who is a guest."""
    pages = {name: window(browser, WIDTH, HEIGHT) for name in ("alice", "Carol")}
    for page in pages.values():
        page.goto(url)
    pages["alice"].get_by_label("Username").fill("alice")
    pages["alice"].get_by_label("Password").fill("local-demo")
    pages["alice"].get_by_role("button", name="Log in").click()
    pages["Carol"].get_by_label("Your name").fill("Carol")
    pages["Carol"].get_by_role("button", name="Join as a guest").click()
    for page in pages.values():
        expect(page.locator("#badge")).to_have_text("Open")
        expect(page.locator("#people li")).to_have_count(len(pages))
    return pages


def chat(pages: Dict[str, Any]) -> None:
    for count, (name, text) in enumerate(TALK, start=1):
        pages[name].get_by_role("textbox", name="Message").fill(text)
        pages[name].get_by_role("button", name="Send").click()
        for page in pages.values():
            expect(page.locator("#messages li")).to_have_count(count)
        pages[name].locator(":focus").blur()


def photograph(browser: Any, pages: Dict[str, Any]) -> bytes:
    figures = "".join(
        FIGURE.format(title=name, data=base64.b64encode(page.screenshot()).decode())
        for name, page in pages.items()
    )
    both = window(browser, 2 * WIDTH + 60, HEIGHT)
    both.set_content(FRAME.format(width=WIDTH, figures=figures))
    picture: bytes = both.screenshot(full_page=True)
    return picture


def window(browser: Any, width: int, height: int) -> Any:
    """Return a page in a window of its own, which shares no cookie."""
    viewport = {"width": width, "height": height}
    context = browser.new_context(
        viewport=viewport, device_scale_factor=SCALE, color_scheme="light", locale="en-GB"
    )
    return context.new_page()


def save(picture: bytes) -> None:
    """Write it with 256 colours, which is a third of the size."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
