"""repairs and windows to move

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Plain columns, which both databases add and drop without building the table again.
COLUMNS = (
    ("may_move", sa.SmallInteger()),
    ("window_moves", sa.JSON()),
    ("moved_seats", sa.Integer()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("match_run", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name, _kind in reversed(COLUMNS):
        op.drop_column("match_run", name)
