"""Who sees what: the roles, and the model as one viewer may see it. Every page and answer reads through a `View`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from monitor.config.agreements.document import AgreementDocument
from monitor.core.agreements.agreement import Agreement
from monitor.core.alerts.alert import Alert
from monitor.core.objectives.status import WindowStatus
from monitor.read_model.courses import Point
from monitor.read_model.live import Live
from monitor.read_model.overview import Overview
from monitor.wire.responses import Acknowledgement, SilenceResponse

Role = Literal["operator", "manager", "customer"]


class Viewer(NamedTuple):
    """Somebody who looks. An operator sees all; the others see the named agreements.

    A manager who names no agreement sees all of them. A customer sees only the texts of his agreements, and of their
    statements those whose ``audience`` names him (as ``customer`` or by one of ``customers``); of series that are split
    by customer only his own.
    """

    role: Role = "operator"
    name: str = ""
    agreements: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    via: Literal["", "token", "proxy"] = ""
    """By what he is known; "" for whoever was not asked."""

    @property
    def may_respond(self) -> bool:
        """Whether he may acknowledge and silence, where that is switched on."""
        return self.role == "operator" and bool(self.via)

    @property
    def is_inside(self) -> bool:
        """Whether it is somebody of the provider, who sees alerts, subjects and running figures."""
        return self.role != "customer"

    def sees(self, agreement_id: str) -> bool:
        """Return whether an agreement may be seen."""
        if self.role == "operator" or (self.role == "manager" and not self.agreements):
            return True
        return agreement_id in self.agreements

    def sees_statement(self, one: WindowStatus) -> bool:
        """Return whether a statement may be seen."""
        if not self.sees(one.series.agreement):
            return False
        if self.is_inside:
            return True
        return bool(({"customer"} | self.customers) & set(one.audience)) and self._is_own(one.labels)

    def _is_own(self, labels: Mapping[str, str]) -> bool:
        customer = labels.get("customer", "")
        return not customer or customer in self.customers


EVERYBODY = Viewer()
"""Whoever reaches a server without tokens: it listens on this machine only."""

NOBODY = Viewer("customer")
"""Somebody unknown, who sees nothing."""


class View:
    """The live model as a viewer may see it."""

    def __init__(self, live: Live, viewer: Viewer, now_ms: int) -> None:
        self._live = live
        self.viewer = viewer
        self.now_ms = now_ms

    def overview(self) -> Overview:
        """Return how all stands: for a customer his agreements only."""
        found, viewer = self._live.overview(self.now_ms), self.viewer
        if viewer.role == "operator":
            return found
        return found._replace(
            agreements=tuple(one for one in found.agreements if viewer.sees(one.id)),
            lines=tuple(
                one for one in found.lines if viewer.is_inside and viewer.sees(one.status.series.agreement)
            ),
            out=tuple(one for one in found.out if viewer.is_inside and viewer.sees(one.alert.key.agreement)),
        )  # fmt: skip

    def text_of(self, agreement_id: str, version: int) -> Agreement | None:
        """Return one version of an agreement."""
        return self._live.text_of(agreement_id, version) if self.viewer.sees(agreement_id) else None

    def texts(self, agreement_id: str) -> list[Agreement]:
        """Return the versions of an agreement in the order in which they hold; none if it may not be seen."""
        return self._live.texts(agreement_id) if self.viewer.sees(agreement_id) else []

    def documents(self) -> list[AgreementDocument]:
        """Return all published texts: to be asked only about an agreement that may be seen."""
        return self._live.documents()

    def alerts(self) -> Iterator[Alert]:
        """Yield the alerts, the newest first."""
        viewer = self.viewer
        return (one for one in self._live.alerts() if viewer.is_inside and viewer.sees(one.key.agreement))

    def out_ids(self) -> frozenset[str]:
        """Return the ids of the alerts that are out: at risk or broken, and not yet over."""
        return frozenset(one.alert.id for one in self.overview().out)

    def statements(self) -> list[WindowStatus]:
        """Return the statements, the newest period first."""
        return [one for one in self._live.statements() if self.viewer.sees_statement(one)]

    def course(self, status: WindowStatus, objective: str) -> tuple[Point, ...]:
        """Return how a budget was used up in a running window that may be seen."""
        is_seen = self.viewer.is_inside and self.viewer.sees(status.series.agreement)
        return self._live.course(status, objective) if is_seen else ()

    def silences(self) -> list[SilenceResponse]:
        """Return the silences that hold, the first to end first."""
        viewer = self.viewer
        found = [one for one in self._live.responses() if isinstance(one, SilenceResponse)]
        return sorted(
            (one for one in found if one.until_ms > self.now_ms and viewer.is_inside and viewer.sees(one.agreement)),
            key=lambda one: (one.until_ms, one.id),
        )

    def acknowledgements(self) -> dict[str, Acknowledgement]:
        """Return the acknowledgements by the key of the alert or page that they are about."""
        found = (one for one in self._live.responses() if isinstance(one, Acknowledgement))
        return {one.target: one for one in found} if self.viewer.is_inside else {}
