"""How people are woken: the courier delivers notices to their receivers and reads the answers.

`monitor.notify.courier` makes an attempt, `monitor.notify.answers` says what came of it. The requests are made by the
kinds of receivers: `monitor.config.receivers`.
"""
