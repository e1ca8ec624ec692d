"""On the way through the wizard."""

from __future__ import annotations

from .base import BodywornError


class SetupNotBegun(BodywornError):
    """Raised when a step is sent before somebody chose to create a new system."""

    id = "setup-not-begun"
    sentence = "The setup of this system has not been begun."
    mend = "Open the first page of the setup and choose to create a new system."


class SetupUnfinished(BodywornError):
    """Raised when the setup is to be finished while one of its steps was not passed."""

    id = "setup-unfinished"
    sentence = "A step of the setup is still missing."
    mend = "Go through the steps from where the setup leads you; then finish it."


class MasterKeyMissing(BodywornError):
    """Raised when the form was sent without a file, or with an empty one."""

    id = "master-key-missing"
    sentence = "No master key was chosen, or the file is empty."
    mend = "Choose the file that was downloaded when the system was set up; its name ends in .bwmk."
