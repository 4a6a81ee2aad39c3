"""Why did this handover fail? Pure: no network, no clock, no Slack, no database."""
