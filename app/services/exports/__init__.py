"""Exports: every table that holds the programme's data, as a file for a spreadsheet program."""

from app.services.exports.files import (
    CONTENT_TYPES,
    EXPORTS,
    FileFormat,
    export_file,
    find_export,
    offered,
)
from app.services.exports.table import Export

__all__ = [
    "CONTENT_TYPES",
    "EXPORTS",
    "Export",
    "FileFormat",
    "export_file",
    "find_export",
    "offered",
]
