"""Readers: files of many kinds to batches of articles.

The stages, in the order of the data flow:

| module | what |
| --- | --- |
| `_paths` | inputs (directories, globs, files, "-") to a list of files, each once |
| `_streams` | a file, compressed or not, to bounded chunks of bytes and lines |
| `_decode` | bytes to text, whatever the encoding |
| `_dates`, `_fields` | cells and JSON values to metadata |
| `_objects` | objects with named values to rows |
| `_plain`, `_html`, `_jsonl`, `_csv`, `_parquet` | one kind of file to rows or blocks |
| `_packing` | rows, or blocks of rows by columns, to batches |
| `_prefetch` | batches made ahead in a thread |
| `_reader` | all files to batches |

An input that cannot be read becomes a `Problem`; everything else is read on.
"""

from __future__ import annotations

from dedupe.corpus._reader import CorpusReader, read_article, read_corpus

__all__ = ["CorpusReader", "read_article", "read_corpus"]
