"""API keys as SIP passwords: their texts, sealed, instead of hashes that no user name fits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("api_key", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.drop_column("api_key", "sip_ha1_md5")
    op.drop_column("api_key", "sip_ha1_sha256")
