"""What every table shares."""

from __future__ import annotations

from typing import Final

from app.extensions import Base, Model

NEVER_REUSE_IDS: Final = {"sqlite_autoincrement": True}
"""Table option: no id is given twice, so an audit row can't come to point at another child."""

__all__ = ["NEVER_REUSE_IDS", "Base", "Model"]
