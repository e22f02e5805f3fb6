"""How people are woken: notices become the requests that their receivers understand, and are delivered.

One file for each kind of receiver: a pure function makes the request, and another reads a successful answer where the
service has an own word for success. `monitor.notify.courier` makes the attempt.
"""
