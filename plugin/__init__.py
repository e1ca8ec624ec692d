"""The body worn plugin: ``setup(host)`` is all that a host calls."""
