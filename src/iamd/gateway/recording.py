"""Recording: the event of a request that goes to a backend, which is made while the backend works.

Another account whose bucket it used has an event of its own (`services/cloudtrail/events.py:events_of`).
"""

from collections.abc import Sequence

import msgspec

from iamd import pipeline
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import events_of
from iamd.store.events import Event


class Recording(msgspec.Struct):
    """Makes the event of one request; `foresee` may be called before its outcome is known, or not at all."""

    _runtime: Runtime
    _progress: Progress
    _read_only: bool
    _foreseen: Sequence[Event] | None = None
    _rests_on: tuple[object, ...] = ()

    def foresee(self) -> None:
        """Make the events of a request that goes well, as nearly all do that were allowed."""
        self._foreseen, self._rests_on = self._made(None, None), self._grounds()

    def events(self, code: str | None, message: str | None) -> Sequence[Event]:
        """The events of the outcome: what was foreseen, if the request went well and nothing else became of it."""
        foreseen = self._foreseen
        if foreseen is None or code is not None:
            return self._made(code, message)
        return foreseen if self._grounds() == self._rests_on else self._made(code, message)

    def _grounds(self) -> tuple[object, ...]:
        """What an event says that an answer may change; each is replaced and never changed.

        Two of these are compared by identity before anything else.
        """
        progress = self._progress
        return progress.verdicts, progress.notes, progress.parameters, progress.identity, progress.view

    def _made(self, code: str | None, message: str | None) -> Sequence[Event]:
        told = pipeline.outcome(self._runtime, self._progress, None, None, self._read_only, code, message)
        return events_of(told)
