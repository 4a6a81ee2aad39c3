"""Handover: why did the voicebot's handover to NICE CXone fail?

A question goes:  slack/commands.py → cxone/investigate.py → diagnosis/diagnose.py → slack/messages.py → the channel
A failure goes:   alerts/watcher.py → store/ → slack/notifier.py → the channels that subscribed

    diagnosis/       what happened and whose side it is, from the record alone: start with handover.py (the records),
                     outcomes.py (the tables) and rules.py (the ladder)
    cxone/           where the facts come from, read-only: investigate.py asks, http.py is the one session; the tenant's
                     API is platform.py with conversations.py, or contacts*.py with cognigy*.py
    store/           tables, and queries as plain functions; deliveries.py is what Slack is owed, leases.py who sends
                     it, pacing.py when; store/migrations/
    alerts/          what deserves a message: policy.py judges, watcher.py polls, record.py and plan.py write what is
                     owed to whom (audience.py), by outbox.py and holders.py; lifecycle.py ends it, muting.py,
                     pausing.py (a channel that is closed), filters.py; explain.py says why
    slack/           app.py and services.py (what the handlers work with); grammar.py and typed.py (what was typed);
                     commands.py, *_commands.py, actions.py (buttons); messages*.py, alert_messages.py and *_answers.py
                     (what is said) out of blocks.py; replies.py and notifier.py (how it is sent), rendering.py (what,
                     from the tables), history.py (whether it arrived), classify.py (what Slack's answers mean);
                     switchboard.py (whose it is), workspaces.py, installing.py (where several install the app)
    jobs/            who runs the work: local.py (threads) or distributed.py (Procrastinate on PostgreSQL)
    demo/            a simulated tenant and a local Slack workspace; the tests use the same two

    cli.py           the commands, parsed and handed over; question.py is that of `diagnose`, endings.py the exit codes;
                     __main__.py is `python -m bot`
    wiring.py        builds the parts from the settings; the only place that knows them all
    platforms.py     builds who asks a tenant; database.py opens the store; clients.py is Slack's, a workspace each;
                     centres.py puts the tenants to work
    beside.py        what is done beside a running bot: check, audit, forget
    settings.py      all configuration, with setting_kinds.py and setting_faults.py; tenants.py the file of several
    alerting.py      watcher and notifier of one tenant; background.py runs those of all
    running.py       starts and stops the parts of `run`; memory.py is what it asks of glibc and of Python's collector
    web.py           Slack's requests, health and metrics over HTTP; socket_mode.py instead; metrics.py
    terminal.py      a diagnosis drawn; report_json.py as one object; saved.py one of a file; bundle.py what is saved
                     for a case with NICE
    check.py         the lines of `check`; check_contacts.py those of the contacts API
    phone.py         a number; redact.py what may be shown; clock.py time; logs.py: leaves that all may import

Imports run one way, and tests/test_architecture.py holds them to it:
diagnosis ← cxone ← store ← alerts ← slack ← jobs, web ← wiring ← cli. Only cli imports demo. jobs/ knows the store and
nothing above it; settings.py reads the filter of a subscription by alerts/filters.py.
"""

__version__ = "0.1.0"
