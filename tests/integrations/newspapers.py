"""Newspapers on loopback: pages made from the seeds, and of copies and rewrites of them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGES", "Page", "newspapers"]

SEEDS = Path(__file__).parent.parent.parent / "seeds"


class Page(NamedTuple):
    """One article as a newspaper prints it.

    Attributes:
        path: on the server; its first part is the paper.
        text: paragraphs, parted by blank lines.
        kind: what it is to an index that has all pages before it.
        of: path of the page that it has most of, if any.
    """

    path: str
    text: str
    kind: str
    of: str | None = None


def _seed(start: str) -> str:
    (path,) = SEEDS.glob(f"{start}_*.txt")
    paragraphs = path.read_text(encoding="utf-8").split("\n")
    return "\n\n".join(paragraph.strip() for paragraph in paragraphs if paragraph.strip())


def _edited(text: str) -> str:
    """The text with some words of an editor's own: a resemblance of about .9."""
    edited = text.replace("Saturday", "the weekend").replace("strategic", "important")
    assert edited != text
    return edited


def _pages() -> Iterator[Page]:
    wire, opposition, voa, story, russia = (_seed(f"00{k}") for k in range(5))
    yield Page("/wire/mayadeen", wire, "unique")
    yield Page("/herald/raqqa", story, "partial", "/wire/mayadeen")
    yield Page("/post/troops", opposition, "unique")
    yield Page("/gazette/troops", opposition, "exact", "/post/troops")
    yield Page("/voa/loses", voa, "unique")
    yield Page("/tribune/loses", _edited(voa), "near", "/voa/loses")
    yield Page("/times/ministry", russia, "unique")
    yield Page("/courier/mayadeen", _edited(wire), "near", "/wire/mayadeen")


PAGES = tuple(_pages())
"""In the order of the front page."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Serve a front page with links to all articles, or one of them."""
        texts = {page.path: page.text for page in PAGES}
        if self.path == "/":
            body = "".join(f'<a href="{path}">{path}</a>' for path in texts)
        elif self.path in texts:
            paragraphs = texts[self.path].split("\n\n")
            body = (
                f"<h1>{paragraphs[0][:60]}</h1>"
                f"<time datetime='2017-10-14T0{len(self.path) % 10}:00:00Z'></time>"
                "<article>" + "".join(f"<p>{text}</p>" for text in paragraphs) + "</article>"
            )
        else:
            self.send_error(404)
            return
        data = f"<!doctype html><meta charset=utf-8><body>{body}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def newspapers() -> Iterator[str]:
    """Serve the pages while the block runs; the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
