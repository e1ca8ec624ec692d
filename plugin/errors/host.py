"""Between host and plugin."""

from __future__ import annotations

from .base import BodywornError


class Incompatible(BodywornError):
    """Raised by ``setup`` when the host cannot run this version of the plugin."""

    id = "incompatible"
    sentence = "This host cannot run the body worn plugin: {reason}."
    mend = "Install the version of the plugin that the host asks for, or update the host."


class SetupFailed(BodywornError):
    """Raised by ``setup`` when a part of the host that the plugin relies on is missing or refuses."""

    id = "setup-failed"
    sentence = "The body worn plugin could not be set up: {reason}."
    mend = "Correct the host's configuration and load the plugin again."


class NotReady(BodywornError):
    """Raised by ``start`` when a service cannot run yet; the host tries again later."""

    id = "not-ready"
    sentence = "The body worn plugin is not ready: {reason}."
    mend = "Nothing needs to be done; it is tried again."
    retry = True
