"""Text files with one row on each line, as spreadsheets save them: CSV and "Unicode text"."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import Final

from app.services.imports.encodings import decode
from app.services.imports.problems import Code, Problem, UnreadableFile
from app.services.imports.table import MOST_COLUMNS, Line, Recognise, Sheet, Source, check_size

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 40
# A first line by which Excel is told the separator; Excel itself doesn't show it as a row.
_NAMED_DELIMITER: Final = re.compile(r'"?sep=([,;|\t])"?[;,\t]*\r?\n', re.IGNORECASE)


def read_delimited(content: bytes, recognise: Recognise) -> Sheet:
    """The rows of a text file, whatever its character set and separator.

    Raises UnreadableFile where the character set or the quotation marks can't be understood.
    """
    text, encoding = decode(content)
    if "\0" in text:
        raise UnreadableFile(Problem(Code.NOT_TEXT))
    named = _NAMED_DELIMITER.match(text)
    if named:
        text = text[named.end() :]
    delimiter = named[1] if named else _delimiter(text, recognise)
    return Sheet(tuple(_filled_lines(text, delimiter)), Source(encoding=encoding))


def _delimiter(text: str, recognise: Recognise) -> str:
    """The separator that shows the most headings in a row; else the one that cuts most often."""

    def merit(delimiter: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            rows = list(islice(reader, _SAMPLE))
        except csv.Error:
            rows = []
        return max(map(recognise, rows), default=0), max(map(len, rows), default=0)

    return max(_DELIMITERS, key=merit)


def _filled_lines(text: str, delimiter: str) -> list[Line]:
    lines: list[Line] = []
    number = 0
    # strict: a stray quotation mark would otherwise swallow the rows up to the next one.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            line = Line(number, tuple(cells))
            if line.filled:
                lines.append(line)
                check_size(lines)
            if len(cells) > MOST_COLUMNS and any(map(str.strip, cells[MOST_COLUMNS:])):
                values = (("most", MOST_COLUMNS),)
                raise UnreadableFile(Problem(Code.TOO_MANY_COLUMNS, values=values))
    except csv.Error:
        raise UnreadableFile(Problem(Code.BROKEN_QUOTES, row=number + 1)) from None
    return lines
