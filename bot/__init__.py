"""Handover: why did the voicebot's handover to NICE CXone fail?

    diagnosis/   what happened and whose side it is: pure, no network, no clock
    cxone/       where the facts come from: one file a platform, read-only
    store/       tables and queries          alerts/   what deserves a message, and the watcher
    slack/       commands, messages, posts   jobs/     who runs the work
    demo/        a simulated tenant and a local Slack workspace
    phone, redact, clock, settings, logs     leaves that anybody may use
    saved, terminal, check, web, wiring, cli the two ways in: `run` and `diagnose`

Imports run one way: diagnosis ← cxone ← store ← alerts ← slack ← jobs, web ← wiring ← cli.
"""

__version__ = "0.1.0"
