"""A volunteer's calendar, which phones fetch at its secret address."""

from __future__ import annotations

from flask import Response, request

from app.services import calendar_feed
from app.web.public import blueprint


@blueprint.get("/calendar/<token>.ics")
def calendar(token: str) -> Response:
    """The lessons around today; 304 where the phone has them so already."""
    feed = calendar_feed.write_feed(calendar_feed.open_feed(token))
    response = Response(feed, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="n9raw.ics"'
    response.add_etag()
    response.make_conditional(request)
    return response
