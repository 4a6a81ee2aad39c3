"""How it looks and feels in Slack."""
