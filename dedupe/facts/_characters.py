"""Characters that tell something: of numbers, beside them, between words, and of a word's form."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "APOSTROPHES",
    "BETWEEN",
    "CAPITAL",
    "CURRENCIES",
    "FIGURE",
    "MINUS",
    "NUMERAL",
    "NUMERALS",
    "PERCENT",
    "QUOTES",
    "SPACE",
    "TENFOLD",
    "ascii_digits",
    "beginnings",
    "is_minus",
    "plain_word",
]

SPACE = " \t\u00a0\u202f\u2009"
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₺": "TRY"}
CURRENCIES |= {"₩": "KRW", "₪": "ILS", "₴": "UAH", "₦": "NGN", "￥": "JPY", "＄": "USD"}
PERCENT = "%٪％"
MINUS = "-−"
BETWEEN = SPACE + "-‐‑" + "".join(CURRENCIES)
QUOTES = "\"“”„«»‚‘’'「」『』‹›"

NUMERALS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
TENFOLD = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
TENFOLD |= {"兆": 10**12}

CAPITAL, FIGURE, NUMERAL = 1, 2, 3
"""What a token may begin with: a capital, a digit, a Chinese numeral."""

_FIRST_CHARACTER = np.zeros(128, np.int64)
_FIRST_CHARACTER[ord("A") : ord("Z") + 1] = CAPITAL
_FIRST_CHARACTER[ord("0") : ord("9") + 1] = FIGURE


def beginnings(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """What tokens begin with, by the code points of their first characters."""
    begins = _FIRST_CHARACTER[np.minimum(codes, 127)]
    for code in set(codes[codes > 127].tolist()):
        char = chr(code)
        kind = CAPITAL if char.isupper() else FIGURE if char.isdecimal() else 0
        begins[codes == code] = NUMERAL if char in NUMERALS or char in TENFOLD else kind
    return begins


def ascii_digits(raw: str) -> str:
    """A text with the digits of any script as 0 to 9."""
    if raw.isascii():
        return raw
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in raw)


def is_minus(text: str, at: int) -> bool:
    """Whether a dash makes the figure after it a number below zero."""
    return text[at + 1 : at + 2].isdecimal() and text[at - 1 : at] in (*SPACE, "(")


APOSTROPHES = re.compile("[’‘ʼ＇`´]")


def plain_word(word: str) -> str:
    """A word without case, accents, possessive and full stops."""
    word = APOSTROPHES.sub("'", word.casefold()).removesuffix("'s")
    if not word.isascii():
        word = "".join(
            c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)
        )
    return word.replace("'", "").replace(".", "")
