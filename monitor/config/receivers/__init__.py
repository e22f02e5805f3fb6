"""Receivers: the services that notices are sent to, under the names that agreements use.

`kinds` has one module for each kind of receiver. `registry` finds them; settings, courier and tests ask it.
"""
