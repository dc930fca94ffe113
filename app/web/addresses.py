"""Addresses of pages as people outside type them."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for


def public_address(endpoint: str, **values: Any) -> str:
    """A page's whole address. What the browser was asked for may be a proxy's own name."""
    site = current_app.config["N9RAW"].public_url or request.host_url.rstrip("/")
    return f"{site}{url_for(endpoint, **values)}"
