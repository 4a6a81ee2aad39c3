"""A simulated CXone tenant and a local Slack workspace; the tests use the same two."""
