"""Fields that forms of several audiences share."""

from __future__ import annotations

from typing import Any

from wtforms import DateField

from app.i18n import _


class DayField(DateField):
    """A day of the calendar, also as 21/11/2026, refused in the reader's language."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, format=["%Y-%m-%d", "%d/%m/%Y"], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Give a day, such as 2026-11-21.")) from None
