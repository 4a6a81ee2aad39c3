"""The tables that carry every promise, and the queries as plain named functions."""
