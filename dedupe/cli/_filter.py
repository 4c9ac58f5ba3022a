"""`dedupe filter`: a stream of JSON lines, each with what an index knows of it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from dedupe.cli._app import app
from dedupe.cli._exits import SOME_UNREADABLE, interruptible
from dedupe.cli._options import (
    ConfigFile,
    DateField,
    IdField,
    SourceField,
    TextField,
    TitleField,
    UrlField,
    fields_of,
    named_in,
    settings_of,
)
from dedupe.cli._printing import announce_compiling, print_problem
from dedupe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dedupe.config import Config
    from dedupe.index import Index
    from dedupe.records import Article

_AT_ONCE = 64
"""Lines looked up together where so many are waiting. Whoever reads gets them together, too."""


@app.command(
    name="filter",
    epilog="""
**Examples**

`dedupe filter --index news.index < crawl.jsonl > tagged.jsonl` — look up, add, and tag every line

`crawler | dedupe filter -i news.index --drop exact,near | loader` — and leave copies out

`dedupe filter -i news.index --no-add < drafts.jsonl | jq .dedupe.kind` — only look up

`dedupe filter -i redis://localhost:6379/0 --only-unique` — with an index that others use as well
""",
)
def filter_lines(
    index: Annotated[
        str,
        typer.Option(
            "--index",
            "-i",
            metavar="INDEX",
            help="The directory of an index, made where there is none, or redis://HOST:PORT/DB.",
            show_default=False,
        ),
    ],
    no_add: Annotated[
        bool, typer.Option("--no-add", help="Only look lines up: the index stays as it is.")
    ] = False,
    drop: Annotated[
        str,
        typer.Option(
            metavar="KIND,...",
            help="Leave out lines of these kinds: exact, near, partial, unique, or unchanged "
            "(the index has this id with this text).",
            show_default=False,
        ),
    ] = "",
    only_unique: Annotated[
        bool, typer.Option("--only-unique", help="The same as --drop exact,near,partial.")
    ] = False,
    result_field: Annotated[
        str, typer.Option(metavar="NAME", help="Key of what the index knows.")
    ] = "dedupe",
    pass_broken: Annotated[
        bool,
        typer.Option(
            "--pass-broken", help="Write lines that are no JSON objects as they are, not leave out."
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No counts at the end; only problems.")
    ] = False,
    config: ConfigFile = None,
    id_field: IdField = None,
    text_field: TextField = None,
    source_field: SourceField = None,
    date_field: DateField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
) -> None:
    """Put on each JSON line of standard input what an index knows of its text.

    Each line comes out as it was, in its place and at once, with one more key: the kind of the
    best match (unique, exact, near, partial), the articles it shares text with, shares, passages,
    and what is its own. Then the index has it, too. An id is its URL where it has no other.

    A line that is no JSON object is left out, and one without text is passed on with an `error`
    in place of a kind; both are told on standard error, and make the exit code 3.
    """
    from dedupe.integrations._tag import check_droppable

    kinds = [kind.strip() for kind in drop.split(",") if kind.strip()]
    kinds += ["exact", "near", "partial"] if only_unique else []
    dropped = check_droppable(kinds, "--drop")
    if not result_field:
        raise ConfigError("--result-field must not be empty")
    if result_field in {text_field or "text", id_field or "id"}:
        raise ConfigError(
            f"--result-field {result_field} would take the place of what an article says; name another"
        )
    fields = fields_of(id_field, text_field, source_field, date_field, title_field, url_field)
    settings = settings_of(config, fields)
    if sys.stdin is None:
        raise InputError("standard input is closed; pipe JSON lines into it")
    with interruptible():
        from dedupe.index import Index

        announce_compiling()
        # The index has settings of its own: only what the file names has to agree with them.
        named = named_in(config)
        with Index.open(index, mode="r" if no_add else "rw", **named) as opened:
            lines = _Lines(settings, pass_broken=pass_broken)
            answers = _Answers(opened, result_field, dropped, add=not no_add)
            for batch in lines:
                sys.stdout.buffer.write(b"".join(answers(batch)))
                sys.stdout.buffer.flush()
    if sys.stderr.isatty() and not quiet:
        sys.stderr.write(f"dedupe: {answers.told()}\n")
    if lines.problems:
        raise typer.Exit(SOME_UNREADABLE)


class _Line(NamedTuple):
    """A line of the input.

    Attributes:
        data: UTF-8 of a JSON object, or what a broken line is.
        values: of the object; None where the line is broken.
        article: None where there is no text.
    """

    data: bytes
    values: dict[str, Any] | None
    article: Article | None


class _Lines:
    """The lines of standard input, those together that wait together, in bounded memory.

    Attributes:
        problems: how many lines could not be used; they are told when they are met.
    """

    def __init__(self, settings: Config, *, pass_broken: bool) -> None:
        self.problems = 0
        self._settings = settings
        self._pass_broken = pass_broken

    def __iter__(self) -> Iterator[list[_Line]]:
        from dedupe.corpus._jsonl import TOO_LONG, LineReader
        from dedupe.corpus._paths import STDIN, File
        from dedupe.corpus._rows import FileLog, Run
        from dedupe.corpus._streams import read_stdin, split_blocks

        run = Run(self._settings, [], lasting_ids=True)
        log = FileLog(run.problems, STDIN)
        reader = LineReader(File(STDIN, STDIN, STDIN, "jsonl", 0), run, log)
        number = 0
        batch: list[_Line] = []
        for lines in split_blocks(read_stdin(sys.stdin.buffer)):
            for data in lines:
                number += 1
                if data is None:
                    self.problems += 1
                    log.add(number, *TOO_LONG)
                elif data and not data.isspace():
                    values = reader.parse(data, number)
                    row = None if values is None else reader.row(values, number)
                    self.problems += row is None
                    if values is not None:
                        article = None if row is None else row.article()
                        batch.append(_Line(reader.utf8(data), values, article))
                    elif self._pass_broken:
                        batch.append(_Line(data, None, None))
                self._tell(run.problems)
                if len(batch) == _AT_ONCE:
                    yield batch
                    batch = []
            if batch:
                yield batch
                batch = []
        reader.report()
        log.close()
        self.problems += len(run.problems)
        self._tell(run.problems)

    def _tell(self, problems: list[Any]) -> None:
        for problem in problems:
            print_problem(problem)
        problems.clear()


class _Answers:
    """What is written for lines: all that are not dropped, with what the index knows."""

    def __init__(self, index: Index, field: str, dropped: frozenset[str], *, add: bool) -> None:
        self._look_up = index.check_and_add_many if add else index.check_many
        self._field = field
        self._dropped = dropped
        self._counts: Counter[str] = Counter()

    def __call__(self, lines: Iterable[_Line]) -> Iterator[bytes]:
        from dedupe.integrations._tag import error_tag, is_dropped, tag_of

        lines = list(lines)
        articles = [line.article for line in lines if line.article is not None]
        matches = iter(self._look_up(articles) if articles else ())
        for line in lines:
            tag = error_tag("it holds no text that can be used")
            if line.article is not None:
                match = next(matches)
                self._counts[match.kind] += 1
                if is_dropped(match, self._dropped):
                    self._counts["dropped"] += 1
                    continue
                tag = tag_of(match)
            if line.values is None:
                yield line.data + b"\n"
            else:
                yield _tagged(line.data, line.values, self._field, tag)

    def told(self) -> str:
        """The counts, for people."""
        kinds = ("unique", "exact", "near", "partial")
        told = ", ".join(f"{self._counts[kind]:,} {kind}" for kind in kinds)
        return f"{told}; {self._counts['dropped']:,} left out"


def _tagged(data: bytes, values: dict[str, Any], field: str, tag: dict[str, Any]) -> bytes:
    """The line with the tag as its last key, all else to the letter as it was."""
    if field in values:  # from an earlier time; only then is the line written anew
        others = {key: value for key, value in values.items() if key != field}
        return _dumped({**others, field: tag}) + b"\n"
    body = data.rstrip()[:-1].rstrip()
    joint = b"" if body.endswith(b"{") else b", "
    return b"".join((body, joint, _dumped(field), b": ", _dumped(tag), b"}\n"))


def _dumped(value: Any) -> bytes:
    """JSON in UTF-8; a text with half a character in it is escaped, for it has no UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()
