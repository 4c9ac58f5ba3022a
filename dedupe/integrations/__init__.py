"""Hooks for scraping pipelines: what an index knows of an item, put on the item.

| module | what |
| --- | --- |
| `_tag` | a match as a compact tag, and which kinds to drop |
| `_calls` | an index in a thread of its own, awaited from asyncio or from Twisted |
| `_items` | items of any type to articles |
| `scrapy` | an item pipeline and an add-on for Scrapy |

`dedupe filter` puts the same tag on lines of JSON, for every other pipeline.
"""
