"""Several Slack workspaces: the tables of slack_sdk's installation store, with room for sealed tokens."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As slack_sdk 3.48 declares them, but for the length of what is sealed.
BOTH: dict[str, sa.types.TypeEngine[Any]] = {
    "client_id": sa.String(32),
    "app_id": sa.String(32),
    "enterprise_id": sa.String(32),
    "enterprise_name": sa.String(200),
    "team_id": sa.String(32),
    "team_name": sa.String(200),
    "bot_token": sa.Text(),
    "bot_id": sa.String(32),
    "bot_user_id": sa.String(32),
    "bot_scopes": sa.String(1000),
    "bot_refresh_token": sa.Text(),
    "bot_token_expires_at": sa.DateTime(),
}
INSTALLATIONS: dict[str, sa.types.TypeEngine[Any]] = {
    "enterprise_url": sa.String(200),
    "user_id": sa.String(32),
    "user_token": sa.Text(),
    "user_scopes": sa.String(1000),
    "user_refresh_token": sa.Text(),
    "user_token_expires_at": sa.DateTime(),
    "incoming_webhook_url": sa.Text(),
    "incoming_webhook_channel": sa.String(200),
    "incoming_webhook_channel_id": sa.String(200),
    "incoming_webhook_configuration_url": sa.String(200),
    "token_type": sa.String(32),
}
NEEDED = ("client_id", "app_id", "user_id")
TABLES = {"slack_bots": BOTH, "slack_installations": BOTH | INSTALLATIONS}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
            *(sa.Column(name, kind, nullable=name not in NEEDED) for name, kind in columns.items()),
            sa.Column("is_enterprise_install", sa.Boolean(), nullable=False),
            sa.Column("installed_at", sa.DateTime(), nullable=False),
        )
        op.create_index(f"{table}_idx", table, ["client_id", "enterprise_id", "team_id", "installed_at"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
