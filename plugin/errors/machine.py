"""Of the machine that this runs on: its clock, its name and its addresses, which other services keep."""

from __future__ import annotations

from .base import BodywornError


class MachineError(BodywornError):
    """Base: the machine's services do not change something for us."""

    id = "machine-error"
    sentence = "This machine does not let its settings be changed from here."
    mend = "Make the change on the machine itself, as this page describes."


class MachineServiceMissing(MachineError):
    """Raised where the service that keeps a setting is not on this machine, or does not answer."""

    id = "machine-service-missing"
    sentence = "{service} is not running on this machine, or does not answer."
    mend = "Make the change on the machine itself, as this page describes."


class MachineNotPermitted(MachineError):
    """Raised where a service refuses us for lack of a right."""

    id = "machine-not-permitted"
    sentence = "{service} does not let the user {user} change this."
    mend = (
        "Give that user the right {right} in polkit, or make the change on the machine itself, as this page describes."
    )


class MachineRefused(MachineError):
    """Raised where a service does not take a value."""

    id = "machine-refused"
    sentence = "{service} refused the change: {reason}."
    mend = "Correct what was entered, or make the change on the machine itself, as this page describes."


class TimeServerRules(MachineError):
    """Raised when the time is to be set by hand while a time server sets it."""

    id = "time-server-rules"
    sentence = "The time cannot be set by hand while a time server sets it."
    mend = "Choose to set the time by hand first."


class TimeServerFixed(MachineError):
    """Raised where the time comes over the network, but which server gives it stands in a file of another service."""

    id = "time-server-fixed"
    sentence = "{service} asks for the time here, and takes its servers from its own files."
    mend = "Enter the server there, as this page describes."


class AddressesNotOurs(MachineError):
    """Raised for an interface that NetworkManager does not keep, or that is not connected."""

    id = "addresses-not-ours"
    sentence = "NetworkManager does not keep the addresses of {interface}."
    mend = "Change them where they are kept, as this page describes."
