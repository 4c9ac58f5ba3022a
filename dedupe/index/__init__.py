"""The persistent index: what a scraping pipeline asks of every article as it comes."""

from dedupe.index._index import Index
from dedupe.index._records import Added, Family, Match, Reuse, ReusedPassage
from dedupe.index._scanning import scan_into

__all__ = ["Added", "Family", "Index", "Match", "Reuse", "ReusedPassage", "scan_into"]
