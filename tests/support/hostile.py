# ruff: noqa: E501 - names are easier to compare side by side
"""Names that somebody may type, out of malice or because they are called so."""

from __future__ import annotations

from itertools import product
from typing import Final

_SCRIPTS: Final = (
    "محمد بن عبد الله", "مُحَمَّدٌ", "فـــاطـمة", "ﻣﺤﻤﺪ", "ٱلرَّحْمَٰن", "پژمان", "ۋۇرۇمچى", "ⴰⵎⴰⵣⵉⵖ", "ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "Ɛli", "Aïcha", "Aicha", "M’hamed", "M'hamed", "Mʼhamed", "O`Neil", "Zoé-Lou", "Ünlü", "Øystein",
    "Nguyễn Thị", "Łukasz", "Þór", "ßtraße", "İIıi", "DŽemal", "ﬁona", "Ω", "Ελένη", "Сергей", "Ђорђе",
    "משה", "मोहन", "มานี", "江澤民", "さくら", "김철수", "ქეთი", "Արամ", "አበበ", "ᚱᚢᚾ", "𐎠𐎡𐎢", "𝕸𝖆𝖗𝖎𝖆", "Ｍａｒｉａ",
    "Âne", "Åsa", "ﷺ", "ﷲ", "x̌́", "J" + "\u0301" * 30,
)  # fmt: skip
_DIRECTIONS: Final = tuple(
    f"{before}{name}{after}"
    for (before, after), name in product(
        (("\u202e", ""), ("\u202e", "\u202c"), ("\u200f", "\u200e"), ("\u2067", "\u2069"),
         ("\u2067", ""), ("", "\u202d"), ("\u061c", "\u061c"), ("\u200b", "\u200b"), ("\ufeff", ""),
         ("\u200d", "\u200c"), ("\u00ad", "\u00ad"), ("\u2060", "\u180e")),
        ("Hiba", "هبة", "Hiba هبة 12"),
    )
)  # fmt: skip
_SIGNS: Final = (
    "😀", "👩‍👩‍👧‍👦", "🇲🇦", "Hiba 🌸", "❤️‍🔥 Adam", "👍🏽", "1️⃣", "☪ Adam", "†Adam†", "★", "…", "-", ".", "'",
    "123", "٤٥٦", "Adam2", "0x41", "½", "①", "Ⅷ", "№5",
)  # fmt: skip
_FORMULAS: Final = tuple(
    f"{sign}{body}"
    for sign, body in product(
        ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠", " =", "'="),
        ("1+1", 'HYPERLINK("http://x","Hiba")', "cmd|' /C calc'!A0", "SUM(A1:A9)"),
    )
)  # fmt: skip
_MARKUP: Final = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)", "</title><b>Hiba", "<!-- Hiba", "]]>Hiba", "<bdi>Hiba", "</bdi></li>Hiba",
    "&amp;Hiba", "&lt;Hiba&gt;", "&#x202e;Hiba", "javascript:Hiba", "Hiba<br>Touil", "{{ 7 * 7 }} Hiba",
    "{% raw %}Hiba", "{# Hiba #}", "${7*7}Hiba", "#{7*7}Hiba", "%s Hiba", "%(name)s Hiba", "%n%n Hiba", "{0} Hiba",
    "{name} Hiba", "\\x41Hiba", "\\u0041Hiba", "../../Hiba", "C:\\Hiba", "Hiba;Touil", "Hiba,Touil", "Hiba|Touil",
    "Hiba\tTouil", "\"Hiba\"", "\"Hiba\";\"x\"", "'Hiba'; DROP TABLE pupil; --", "Hiba' OR '1'='1", "Hiba/*", "Hiba--",
    "NULL Hiba", "None", "null", "undefined", "NaN", "True", "#REF!", "#N/A", "=", "BEGIN:VEVENT Hiba", "Hiba\\,Touil\\;",
    "Hiba\\nEND:VCALENDAR", "Subject: Hiba", "Hiba@example.org", "http://example.org/Hiba", "www.example.org", "0600000101",
)  # fmt: skip
_CONTROL: Final = (
    "Hi\x00ba", "Hi\x07ba", "Hi\x1bba", "Hi\x7fba", "Hi\x85ba", "Hiba\r\nBcc: x@example.org", "Hiba\nTouil",
    "Hiba\u2028Touil", "Hiba\u2029Touil", "Hi\ufffdba", "Hi\ufffeba", "\ud800Hiba", "Hi\U000e0041ba", "\ue000Hiba",
)  # fmt: skip
_LENGTHS: Final = (
    "", " ", "\u00a0", "\u3000", "\u200b", "A", "ه", "Hiba " * 16, "A" * 80, "A" * 81, "ه" * 80, "A" * 500, "ه" * 500,
    "Hiba Touil " * 45, "W" * 500, "😀" * 500, "-" * 500, "e\u0301" * 250, "A" * 100_000, " " * 500 + "Hiba",
)  # fmt: skip

HOSTILE_NAMES: Final = tuple(
    dict.fromkeys((*_SCRIPTS, *_DIRECTIONS, *_SIGNS, *_FORMULAS, *_MARKUP, *_CONTROL, *_LENGTHS))
)  # fmt: skip
"""More than two hundred. Some are to be refused, none may harm."""

SHOWN_NAMES: Final = (
    "مُحَمَّدٌ", "ⴰⵎⴰⵣⵉⵖ", "Hiba\u200f هبة\u200e 12", "Hiba 🌸", "=1+1 Hiba", "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>", "{{ 7 * 7 }} Hiba", "W" * 80, "J" + "\u0301" * 30,
)  # fmt: skip
"""Ten that are let in, and must be seen in a browser."""
