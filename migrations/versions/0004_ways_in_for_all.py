"""ways in for all: registration, families' requests, zones, the programme's own lists

Revision ID: 0004
Revises: 0003
"""

from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEW_TABLES = (
    "contact_code",
    "draft",
    "setting",
    "tag",
    "term",
    "coordinator_zone",
    "invitation",
    "recovery_code",
    "message_wording",
    "call_request",
    "hours_certificate",
    "note",
    "tutor_absence",
    "tutor_tag",
    "pupil_need",
    "attendance",
    "lesson_answer",
    "pin",
)

# Plain columns, which both databases add without building the table again.
COLUMNS = (
    *(
        column
        for table in ("channel", "language", "level", "subject")
        for column in (
            (table, "also", sa.JSON(none_as_null=True), None),
            (table, "retired", sa.Boolean(), sa.false()),
        )
    ),
    ("level", "exam_on", sa.Date(), None),
    ("coordinator", "is_administrator", sa.Boolean(), sa.true()),
    ("coordinator", "all_zones", sa.Boolean(), sa.true()),
    ("consent", "said_on", sa.Date(), None),
    ("coordinator", "closed_at", sa.DateTime(timezone=True), None),
    ("household", "reach_by_call", sa.Boolean(), sa.false()),
    ("lesson", "note", sa.String(length=1000), None),
    ("lesson", "noted_at", sa.DateTime(timezone=True), None),
    ("tutor", "identity_seen_on", sa.Date(), None),
    ("tutor", "interviewed_on", sa.Date(), None),
    ("tutor", "certificate_seen_on", sa.Date(), None),
    ("tutor", "charter_accepted_at", sa.DateTime(timezone=True), None),
    ("tutor", "charter_version", sa.String(length=24), None),
    ("tutor", "paused_at", sa.DateTime(timezone=True), None),
    ("tutor", "paused_until", sa.Date(), None),
    ("tutor", "suspended_at", sa.DateTime(timezone=True), None),
    ("tutor", "suspend_reason", sa.String(length=500), None),
    ("tutor", "signed_out_at", sa.DateTime(timezone=True), None),
    ("tutor", "calendar_token_hash", sa.String(length=64), None),
    ("tutoring_request", "confirmed_at", sa.DateTime(timezone=True), None),
    ("tutoring_request", "ended_at", sa.DateTime(timezone=True), None),
    ("tutoring_request", "end_reason", sa.String(length=500), None),
    ("zone", "name_ar", sa.String(length=80), None),
    ("zone", "also", sa.JSON(none_as_null=True), None),
    ("zone", "listed", sa.Boolean(), sa.true()),
)

# With their constraint in the statement, SQLite adds these too without building the table again.
CONSTRAINED_COLUMNS = (
    (
        "tutoring_request",
        "origin",
        "VARCHAR(24) DEFAULT 'staff' NOT NULL CONSTRAINT ck_tutoring_request_requestorigin"
        " CHECK (origin IN ('staff', 'family', 'public'))",
    ),
    (
        "tutoring_request",
        "confirmed_by_id",
        "INTEGER CONSTRAINT fk_tutoring_request_confirmed_by_id_coordinator"
        " REFERENCES coordinator (id)",
    ),
    (
        "veto",
        "by_id",
        "INTEGER CONSTRAINT fk_veto_by_id_coordinator REFERENCES coordinator (id)",
    ),
)

OLD_MEANS = ("declared_by_import",)
MEANS = (*OLD_MEANS, "told_coordinator", "on_paper", "on_family_page", "on_request_page")
OLD_KINDS = ("lesson_24h", "lesson_2h", "sign_in_code")
KINDS = (*OLD_KINDS, "contact_code", "family_link", "lessons_end")
OLD_RECIPIENT = "(household_id IS NULL) != (tutor_id IS NULL)"
RECIPIENT = (
    "CASE WHEN household_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN tutor_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN to_address IS NULL THEN 0 ELSE 1 END = 1"
)


def upgrade() -> None:
    _make_tables()
    for table, name, kind, default in COLUMNS:
        op.add_column(
            table, sa.Column(name, kind, server_default=default, nullable=default is None)
        )
    op.create_index(
        op.f("ix_tutor_calendar_token_hash"), "tutor", ["calendar_token_hash"], unique=True
    )
    for table, name, declaration in CONSTRAINED_COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {declaration}")
    for table in ("membership", "tutoring_group"):
        with _rebuilt(table) as batch:
            batch.alter_column("run_id", existing_type=sa.Integer(), nullable=True)
    with _rebuilt("lesson") as batch:
        # What becomes of it when an absence goes is not seen in a column's own constraint.
        batch.add_column(sa.Column("absence_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_lesson_absence_id_tutor_absence"),
            "tutor_absence",
            ["absence_id"],
            ["id"],
            ondelete="SET NULL",
        )
    with _rebuilt("consent") as batch:
        _allow(batch, "consent", "means", "consentmeans", MEANS)
    with _rebuilt("message") as batch:
        batch.add_column(sa.Column("to_address", sa.String(length=254), nullable=True))
        batch.create_index(batch.f("ix_message_to_address"), ["to_address"])
        _allow(batch, "message", "kind", "messagekind", KINDS)
        batch.drop_constraint(op.f("ck_message_one_recipient"), type_="check")
        batch.create_check_constraint(op.f("ck_message_one_recipient"), sa.text(RECIPIENT))
    with _rebuilt("reminder") as batch:
        _allow(batch, "reminder", "kind", "messagekind", KINDS)


def downgrade() -> None:
    """What older versions don't know is lost: hand-made seats, messages of the new kinds."""
    old = ", ".join(f"'{kind}'" for kind in OLD_KINDS)
    op.execute("DELETE FROM membership WHERE run_id IS NULL")
    op.execute("DELETE FROM tutoring_group WHERE run_id IS NULL")
    op.execute(f"DELETE FROM message WHERE to_address IS NOT NULL OR kind NOT IN ({old})")
    op.execute("UPDATE consent SET means = 'declared_by_import'")
    with _rebuilt("reminder") as batch:
        _allow(batch, "reminder", "kind", "messagekind", OLD_KINDS)
    with _rebuilt("message") as batch:
        batch.drop_constraint(op.f("ck_message_one_recipient"), type_="check")
        batch.create_check_constraint(op.f("ck_message_one_recipient"), sa.text(OLD_RECIPIENT))
        _allow(batch, "message", "kind", "messagekind", OLD_KINDS)
        batch.drop_index(batch.f("ix_message_to_address"))
        batch.drop_column("to_address")
    with _rebuilt("consent") as batch:
        _allow(batch, "consent", "means", "consentmeans", OLD_MEANS)
    for table in ("membership", "tutoring_group"):
        with _rebuilt(table) as batch:
            batch.alter_column("run_id", existing_type=sa.Integer(), nullable=False)
    with _rebuilt("veto") as batch:
        batch.drop_column("by_id")
    with _rebuilt("lesson") as batch:
        batch.drop_column("absence_id")
    with _rebuilt("tutoring_request") as batch:
        batch.drop_constraint(op.f("ck_tutoring_request_requestorigin"), type_="check")
        batch.drop_column("confirmed_by_id")
        batch.drop_column("origin")
    op.drop_index(op.f("ix_tutor_calendar_token_hash"), "tutor")
    for table, name, _kind, _default in reversed(COLUMNS):
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
        "contact_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "registration",
                "help_request",
                name="draftkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("wrong_tries", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("contact_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_code_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_code_browser"), ["browser"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_contact_code_created_at"), ["created_at"], unique=False
        )

    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "registration",
                "help_request",
                name="draftkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_browser_hash"), ["browser_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "tag",
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("also", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("retired", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("name_fr", sa.String(length=80), nullable=False),
        sa.Column("name_ar", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_tag")),
        sa.UniqueConstraint("rank", name=op.f("uq_tag_rank")),
    )
    op.create_table(
        "term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_term_first_before_last")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "coordinator_zone",
        sa.Column("coordinator_id", sa.Integer(), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["coordinator_id"],
            ["coordinator.id"],
            name=op.f("fk_coordinator_zone_coordinator_id_coordinator"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zone.id"],
            name=op.f("fk_coordinator_zone_zone_id_zone"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("coordinator_id", "zone_id", name=op.f("pk_coordinator_zone")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_administrator", sa.Boolean(), nullable=False),
        sa.Column("all_zones", sa.Boolean(), nullable=False),
        sa.Column("zone_ids", sa.JSON(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by_id"],
            ["coordinator.id"],
            name=op.f("fk_invitation_invited_by_id_coordinator"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_email"), ["email"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("coordinator_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["coordinator_id"],
            ["coordinator.id"],
            name=op.f("fk_recovery_code_coordinator_id_coordinator"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recovery_code_coordinator_id"), ["coordinator_id"], unique=False
        )

    op.create_table(
        "message_wording",
        sa.Column(
            "kind",
            sa.Enum(
                "lesson_24h",
                "lesson_2h",
                "sign_in_code",
                "contact_code",
                "family_link",
                "lessons_end",
                name="messagekind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("audience", sa.String(length=8), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["coordinator.id"],
            name=op.f("fk_message_wording_changed_by_id_coordinator"),
        ),
        sa.PrimaryKeyConstraint("kind", "language", "audience", name=op.f("pk_message_wording")),
    )
    op.create_table(
        "call_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["called_by_id"],
            ["coordinator.id"],
            name=op.f("fk_call_request_called_by_id_coordinator"),
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_call_request_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_request")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("call_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_call_request_household_id"), ["household_id"], unique=False
        )

    op.create_table(
        "hours_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("tutor_id", sa.Integer(), nullable=False),
        sa.Column("tutor_name", sa.String(length=160), nullable=False),
        sa.Column("lessons", sa.SmallInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("pupils", sa.SmallInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tutor_id"],
            ["tutor.id"],
            name=op.f("fk_hours_certificate_tutor_id_tutor"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hours_certificate")),
        sa.UniqueConstraint("code", name=op.f("uq_hours_certificate_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hours_certificate", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_hours_certificate_tutor_id"), ["tutor_id"], unique=False
        )

    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=True),
        sa.Column("tutor_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(household_id IS NULL) != (tutor_id IS NULL)", name=op.f("ck_note_about_one")
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["coordinator.id"], name=op.f("fk_note_by_id_coordinator")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_note_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"], ["tutor.id"], name=op.f("fk_note_tutor_id_tutor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_household_id"), ["household_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_note_tutor_id"), ["tutor_id"], unique=False)

    op.create_table(
        "tutor_absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tutor_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "first_day <= last_day", name=op.f("ck_tutor_absence_first_before_last")
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"],
            ["tutor.id"],
            name=op.f("fk_tutor_absence_tutor_id_tutor"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tutor_absence")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tutor_absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tutor_absence_tutor_id"), ["tutor_id"], unique=False)

    op.create_table(
        "tutor_tag",
        sa.Column("tutor_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["tag"], ["tag.code"], name=op.f("fk_tutor_tag_tag_tag")),
        sa.ForeignKeyConstraint(
            ["tutor_id"], ["tutor.id"], name=op.f("fk_tutor_tag_tutor_id_tutor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tutor_id", "tag", name=op.f("pk_tutor_tag")),
    )
    op.create_table(
        "pupil_need",
        sa.Column("pupil_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["pupil_id"],
            ["pupil.id"],
            name=op.f("fk_pupil_need_pupil_id_pupil"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tag"], ["tag.code"], name=op.f("fk_pupil_need_tag_tag")),
        sa.PrimaryKeyConstraint("pupil_id", "tag", name=op.f("pk_pupil_need")),
    )
    op.create_table(
        "attendance",
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lesson.id"],
            name=op.f("fk_attendance_lesson_id_lesson"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["tutoring_request.id"],
            name=op.f("fk_attendance_request_id_tutoring_request"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lesson_id", "request_id", name=op.f("pk_attendance")),
    )
    op.create_table(
        "lesson_answer",
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("coming", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_lesson_answer_household_id_household"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lesson.id"],
            name=op.f("fk_lesson_answer_lesson_id_lesson"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lesson_id", "household_id", name=op.f("pk_lesson_answer")),
    )
    op.create_table(
        "pin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("tutor_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=True),
        sa.Column("language", sa.String(length=24), nullable=True),
        sa.Column("starts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("label", sa.String(length=40), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["coordinator.id"], name=op.f("fk_pin_by_id_coordinator")
        ),
        sa.ForeignKeyConstraint(["channel"], ["channel.code"], name=op.f("fk_pin_channel_channel")),
        sa.ForeignKeyConstraint(
            ["language"], ["language.code"], name=op.f("fk_pin_language_language")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["tutoring_request.id"],
            name=op.f("fk_pin_request_id_tutoring_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tutor_id"], ["tutor.id"], name=op.f("fk_pin_tutor_id_tutor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin")),
        sa.UniqueConstraint("request_id", name=op.f("uq_pin_request_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("pin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pin_tutor_id"), ["tutor_id"], unique=False)
