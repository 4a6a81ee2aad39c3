"""Where the facts come from: read-only clients, one file a platform."""
