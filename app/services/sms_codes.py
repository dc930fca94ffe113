"""Codes by SMS cost money, and strangers can ask for them: where they go, and how many in a day."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select

from app.extensions import db
from app.models import CODE_KINDS, Message
from config import Config
from scheduler import clock


def goes_to(phone: str) -> bool:
    """Whether codes are sent to the country of a number in E.164."""
    return phone.startswith(_config().sms_code_countries)


def is_budget_used_up() -> bool:
    """Whether as many codes left for telephones in 24 hours as may."""
    left = select(func.count()).where(
        Message.kind.in_(CODE_KINDS),
        Message.address.startswith("+"),
        Message.handed_at > clock.now() - timedelta(days=1),
    )
    return (db.session.scalar(left) or 0) >= _config().sms_codes_per_day


def _config() -> Config:
    config: Config = current_app.config["N9RAW"]
    return config
