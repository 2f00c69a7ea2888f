"""The one error tree. Each message says what was wrong, where, and what to do about it.

::

    ForerunError
    ├── InvalidInput            something handed to us is wrong; nothing was changed
    │   ├── PlantInvalid        a plant folder, with every problem found in it
    │   ├── MessageInvalid      a message from a machine, the MES or the ERP that cannot be understood
    │   └── SettingsInvalid     a setting, with its name and what is allowed
    ├── NotFound                the thing named does not exist
    ├── Conflict                it exists, but not in a state that allows this (changed meanwhile, already done)
    ├── Denied                  the actor may not do this
    │   └── NotAuthenticated    nobody is known to be asking
    ├── GateRefused             the gate did not let a plan out, with its reasons
    ├── Infeasible              no plan can satisfy this, with what conflicts
    ├── Unavailable             a part we need does not answer now; trying again later may help
    │   └── SourceLost          the connection to a machine or broker broke
    └── Cancelled               someone asked a long action to stop
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plant.text import Text, Told


class ForerunError(Exception):
    """Base of all errors Forerun raises on purpose."""

    @property
    def text(self) -> Text:
        """What it says, to be shown in the reader's language if it was raised with a `told` text."""
        return self.args[0] if self.args and isinstance(self.args[0], Told) else str(self)


class InvalidInput(ForerunError):
    """Something handed to us is wrong; nothing was changed."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where it stands and why it is wrong."""

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.reason}"


class PlantInvalid(InvalidInput):
    """A plant folder cannot be used; `problems` lists everything found wrong in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[PlantInvalid], tuple[tuple[Problem, ...]]]:
        return PlantInvalid, (self.problems,)


class MessageInvalid(InvalidInput):
    """A message cannot be understood; it is quarantined with its payload and this reason."""


class SettingsInvalid(InvalidInput):
    """A setting has a wrong value or an unknown name."""


class NotFound(ForerunError):
    """The thing named does not exist."""


class Conflict(ForerunError):
    """The thing exists, but is not in a state that allows this."""


class Denied(ForerunError):
    """The actor lacks the permission this use case needs."""


class NotAuthenticated(Denied):
    """Nobody is known to be asking: no session, no API key, or one that has ended."""


class GateRefused(ForerunError):
    """The gate did not release a plan; `reasons` says why, one sentence each."""

    def __init__(self, reasons: Sequence[Text]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(map(str, self.reasons)))

    def __reduce__(self) -> tuple[type[GateRefused], tuple[tuple[Text, ...]]]:
        return GateRefused, (self.reasons,)


class Infeasible(ForerunError):
    """No plan can satisfy what was asked; the message names what conflicts."""


class Unavailable(ForerunError):
    """A part we need does not answer now; trying again later may help.

    Attributes
    ----------
    retry_after_s
        Seconds the part asks to be left alone; None when it does not say.
    """

    def __init__(self, message: Text, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class SourceLost(Unavailable):
    """The connection to a machine, gateway or broker broke; the runner reconnects."""


class Cancelled(ForerunError):
    """Someone asked a long action to stop."""
