"""lessons that take place: days off, periods, changes, substitution, inbound texts, ways out

Revision ID: 0005
Revises: 0004
"""

from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW_TABLES = (
    "gateway_pace",
    "period",
    "day_off",
    "household_way",
    "period_starts",
    "flag",
    "notice",
    "question",
    "substitution",
    "inbound_message",
    "substitution_offer",
)

# Plain columns, which both databases add without building the table again.
SETTINGS = (
    ("coordinator", "message_language", sa.String(length=8), "fr"),
    ("coordinator", "wants_digest", sa.Boolean(), sa.true()),
    ("tutor", "wants_digest", sa.Boolean(), sa.true()),
)
COLUMNS = (
    ("zone", "latitude", sa.Double()),
    ("zone", "longitude", sa.Double()),
    ("tutor", "messages_stopped_at", sa.DateTime(timezone=True)),
    ("call_request", "told_at", sa.DateTime(timezone=True)),
)

OLD_KINDS = (
    "lesson_24h",
    "lesson_2h",
    "sign_in_code",
    "contact_code",
    "family_link",
    "lessons_end",
)
KINDS = (
    *OLD_KINDS,
    "group_offer",
    "new_group",
    "change",
    "cancellation",
    "substitution",
    "question",
    "digest",
    "note",
    "call_me",
    "reply",
    "check",
)
OLD_RECIPIENT = (
    "CASE WHEN household_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN tutor_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN to_address IS NULL THEN 0 ELSE 1 END = 1"
)
RECIPIENT = (
    "CASE WHEN household_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN tutor_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN coordinator_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN to_address IS NULL THEN 0 ELSE 1 END = 1"
)
WITH_KINDS = ("message", "reminder", "message_wording")


def upgrade() -> None:
    _make_tables()
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    for table, name, kind, first in SETTINGS:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=first))
    op.execute(
        "ALTER TABLE household ADD COLUMN messages_stopped_by_id INTEGER"
        " CONSTRAINT fk_household_messages_stopped_by_id_coordinator REFERENCES coordinator (id)"
    )
    with _rebuilt("call_request") as batch:
        batch.add_column(sa.Column("tutor_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_call_request_tutor_id_tutor"),
            "tutor",
            ["tutor_id"],
            ["id"],
            ondelete="SET NULL",
        )
    with _rebuilt("lesson") as batch:
        batch.add_column(sa.Column("slot_start", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("substitute_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_foreign_key(
            op.f("fk_lesson_substitute_id_tutor"),
            "tutor",
            ["substitute_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch.create_index(batch.f("ix_lesson_substitute_id"), ["substitute_id"])
    op.execute("UPDATE lesson SET slot_start = wall_start")
    with _rebuilt("lesson") as batch:
        batch.alter_column("slot_start", existing_type=sa.DateTime(), nullable=False)
        batch.drop_constraint(op.f("uq_lesson_group_id_wall_start"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_lesson_group_id_slot_start"), ["group_id", "slot_start"]
        )
    with _rebuilt("message") as batch:
        for name, kind in (("parts", sa.SmallInteger()), ("cost", sa.Integer())):
            batch.add_column(sa.Column(name, kind, nullable=True))
        batch.add_column(
            sa.Column("begins_anew", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        for name, table, ondelete in (
            ("coordinator_id", "coordinator", "CASCADE"),
            ("fallback_of_id", "message", "SET NULL"),
            ("by_id", "coordinator", None),
        ):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
            batch.create_foreign_key(
                op.f(f"fk_message_{name}_{table}"), table, [name], ["id"], ondelete=ondelete
            )
            if ondelete is not None:
                batch.create_index(batch.f(f"ix_message_{name}"), [name])
        batch.create_index("ix_message_provider_id", ["provider_id"])
        _allow(batch, "message", "kind", "messagekind", KINDS)
        batch.drop_constraint(op.f("ck_message_one_recipient"), type_="check")
        batch.create_check_constraint(op.f("ck_message_one_recipient"), sa.text(RECIPIENT))
    for table in ("reminder", "message_wording"):
        with _rebuilt(table) as batch:
            _allow(batch, table, "kind", "messagekind", KINDS)


def downgrade() -> None:
    """What the version of before can't hold, such as a moved lesson's slot, is lost."""
    for table in WITH_KINDS:
        kinds = ", ".join(f"'{kind}'" for kind in OLD_KINDS)
        op.execute(f"DELETE FROM {table} WHERE kind NOT IN ({kinds})")
    op.execute("DELETE FROM message WHERE coordinator_id IS NOT NULL")
    for table in ("reminder", "message_wording"):
        with _rebuilt(table) as batch:
            _allow(batch, table, "kind", "messagekind", OLD_KINDS)
    with _rebuilt("message") as batch:
        batch.drop_constraint(op.f("ck_message_one_recipient"), type_="check")
        batch.create_check_constraint(op.f("ck_message_one_recipient"), sa.text(OLD_RECIPIENT))
        _allow(batch, "message", "kind", "messagekind", OLD_KINDS)
        for name in ("coordinator_id", "fallback_of_id", "provider_id"):
            batch.drop_index(batch.f(f"ix_message_{name}"))
        for name in ("coordinator_id", "fallback_of_id", "by_id", "begins_anew", "cost", "parts"):
            batch.drop_column(name)
    with _rebuilt("lesson") as batch:
        batch.drop_constraint(op.f("uq_lesson_group_id_slot_start"), type_="unique")
        batch.drop_index(batch.f("ix_lesson_substitute_id"))
        for name in ("slot_start", "substitute_id", "asked_at"):
            batch.drop_column(name)
        batch.create_unique_constraint(
            op.f("uq_lesson_group_id_wall_start"), ["group_id", "wall_start"]
        )
    with _rebuilt("household") as batch:
        batch.drop_column("messages_stopped_by_id")
    with _rebuilt("call_request") as batch:
        batch.drop_column("tutor_id")
    for table, name, _kind, _first in reversed(SETTINGS):
        op.drop_column(table, name)
    for table, name, _kind in reversed(COLUMNS):
        op.drop_column(table, name)
    for table in reversed(NEW_TABLES):
        op.drop_table(table)


@contextmanager
def _rebuilt(table: str):
    """A change for which SQLite builds the table again; no id of before is given a second time."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    of_table = {"name": table}
    last = None
    if on_sqlite:
        known = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last = op.get_bind().scalar(known, of_table)
    with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch:
        yield batch
    if last is not None:
        op.get_bind().execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), of_table)
        op.get_bind().execute(
            sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
            of_table | {"last": last},
        )


def _allow(batch, table: str, column: str, name: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
    batch.create_check_constraint(op.f(f"ck_{table}_{name}"), sa.text(f"{column} IN ({listed})"))


def _make_tables() -> None:
    op.create_table(
        "gateway_pace",
        sa.Column("gateway", sa.String(length=24), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateway_pace")),
    )
    op.create_table(
        "period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ramadan",
                "exams",
                name="periodkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("blackout_from", sa.SmallInteger(), nullable=True),
        sa.Column("blackout_until", sa.SmallInteger(), nullable=True),
        sa.Column(
            "effect",
            sa.Enum(
                "suspend",
                "double",
                name="exameffect",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("level_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "blackout_from BETWEEN 0 AND 1439 AND blackout_until BETWEEN 1 AND 1440 AND blackout_from < blackout_until",
            name=op.f("ck_period_blackout"),
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_period_first_before_last")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "day_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "school",
                "public",
                name="dayoffkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "confirmed",
                "dismissed",
                name="dayoffstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("name_fr", sa.String(length=80), nullable=False),
        sa.Column("name_ar", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_day_off_first_before_last")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["coordinator.id"], name=op.f("fk_day_off_decided_by_id_coordinator")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_off")),
        sa.UniqueConstraint("key", name=op.f("uq_day_off_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_day_off_first_day"), "day_off", ["first_day"], unique=False)

    op.create_table(
        "household_way",
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=24), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_household_way_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household_id", "way", name=op.f("pk_household_way")),
    )
    op.create_table(
        "period_starts",
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("starts", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "published",
                "dismissed",
                name="periodstartsstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["coordinator.id"],
            name=op.f("fk_period_starts_decided_by_id_coordinator"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["tutoring_group.id"],
            name=op.f("fk_period_starts_group_id_tutoring_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["period_id"],
            ["period.id"],
            name=op.f("fk_period_starts_period_id_period"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("period_id", "group_id", name=op.f("pk_period_starts")),
    )
    op.create_table(
        "flag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "absences",
                "not_held",
                name="flagkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["coordinator.id"], name=op.f("fk_flag_closed_by_id_coordinator")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["tutoring_group.id"],
            name=op.f("fk_flag_group_id_tutoring_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_flag_lesson_id_lesson"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["tutoring_request.id"],
            name=op.f("fk_flag_request_id_tutoring_request"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_flag_group_id"), "flag", ["group_id"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=True),
        sa.Column("tutor_id", sa.Integer(), nullable=True),
        sa.Column("lesson_id", sa.Integer(), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(household_id IS NULL) != (tutor_id IS NULL)", name=op.f("ck_notice_one_recipient")
        ),
        sa.CheckConstraint(
            "(lesson_id IS NULL) != (group_id IS NULL)", name=op.f("ck_notice_one_subject")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["tutoring_group.id"],
            name=op.f("fk_notice_group_id_tutoring_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_notice_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lesson.id"],
            name=op.f("fk_notice_lesson_id_lesson"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_notice_message_id_message"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"], ["tutor.id"], name=op.f("fk_notice_tutor_id_tutor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notice_group_id"), "notice", ["group_id"], unique=False)
    op.create_index(op.f("ix_notice_lesson_id"), "notice", ["lesson_id"], unique=False)
    op.create_index(op.f("ix_notice_message_id"), "notice", ["message_id"], unique=False)
    op.create_index(op.f("ix_notice_recipient"), "notice", ["recipient"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "which_lesson",
                "substitute",
                "new_time",
                "was_it_held",
                name="questionkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("household_id", sa.Integer(), nullable=True),
        sa.Column("tutor_id", sa.Integer(), nullable=True),
        sa.Column("lesson_id", sa.Integer(), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(household_id IS NULL) != (tutor_id IS NULL)", name=op.f("ck_question_one_recipient")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_question_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lesson.id"],
            name=op.f("fk_question_lesson_id_lesson"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_question_message_id_message"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"], ["tutor.id"], name=op.f("fk_question_tutor_id_tutor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_question_household_id"), "question", ["household_id"], unique=False)
    op.create_index(op.f("ix_question_lesson_id"), "question", ["lesson_id"], unique=False)
    op.create_index(op.f("ix_question_message_id"), "question", ["message_id"], unique=False)
    op.create_index(op.f("ix_question_tutor_id"), "question", ["tutor_id"], unique=False)

    op.create_table(
        "substitution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("lesson_version", sa.SmallInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asking",
                "taken",
                "nobody",
                "ended",
                name="substitutionstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lesson.id"],
            name=op.f("fk_substitution_lesson_id_lesson"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitution")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_substitution_lesson_id"), "substitution", ["lesson_id"], unique=False)

    op.create_table(
        "inbound_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=24), nullable=False),
        sa.Column("provider_id", sa.String(length=120), nullable=False),
        sa.Column("from_address", sa.String(length=254), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=True),
        sa.Column("tutor_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "meaning",
            sa.Enum(
                "coming",
                "not_coming",
                "answer",
                "stop",
                "start",
                "free_text",
                "call_me",
                "worry",
                "unknown_number",
                name="meaning",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("lesson_id", sa.Integer(), nullable=True),
        sa.Column("question_id", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_inbound_message_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lesson.id"],
            name=op.f("fk_inbound_message_lesson_id_lesson"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_inbound_message_message_id_message"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["question.id"],
            name=op.f("fk_inbound_message_question_id_question"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["read_by_id"],
            ["coordinator.id"],
            name=op.f("fk_inbound_message_read_by_id_coordinator"),
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"],
            ["tutor.id"],
            name=op.f("fk_inbound_message_tutor_id_tutor"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_message")),
        sa.UniqueConstraint(
            "gateway", "provider_id", name=op.f("uq_inbound_message_gateway_provider_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_inbound_message_act_at"), "inbound_message", ["act_at"], unique=False)
    op.create_index(
        op.f("ix_inbound_message_from_address"), "inbound_message", ["from_address"], unique=False
    )
    op.create_index(
        op.f("ix_inbound_message_household_id"), "inbound_message", ["household_id"], unique=False
    )
    op.create_index(
        "ix_inbound_message_received_at", "inbound_message", ["received_at"], unique=False
    )
    op.create_index(
        op.f("ix_inbound_message_tutor_id"), "inbound_message", ["tutor_id"], unique=False
    )

    op.create_table(
        "substitution_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("substitution_id", sa.Integer(), nullable=False),
        sa.Column("tutor_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "asked",
                "accepted",
                "declined",
                "closed",
                name="offerstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["substitution_id"],
            ["substitution.id"],
            name=op.f("fk_substitution_offer_substitution_id_substitution"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"],
            ["tutor.id"],
            name=op.f("fk_substitution_offer_tutor_id_tutor"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitution_offer")),
        sa.UniqueConstraint(
            "substitution_id",
            "tutor_id",
            name=op.f("uq_substitution_offer_substitution_id_tutor_id"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_substitution_offer_tutor_id", "substitution_offer", ["tutor_id"], unique=False
    )
