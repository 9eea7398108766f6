"""The application: every request passes the guard, the rate limit and the table of routes; every failure is JSON."""
from __future__ import annotations

from app.logs import EventLog
from app.messages import Refusal, Request, Response
from app.routes import Router
from app.security import Guard, RateLimit


class Application:
    """Turns requests into responses."""

    def __init__(self, router: Router, guard: Guard, rate: RateLimit, log: EventLog) -> None:
        """Hold what a request passes."""
        self._router, self._guard, self._rate, self._log = router, guard, rate, log

    def __call__(self, request: Request) -> Response:
        """Answer a request; whatever goes wrong inside is a 500 that tells nothing of the inside."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refusal.response()
        except Exception:  # noqa: BLE001 (one request's failure must not end its connection without an answer)
            self._log.failure("request")
            return Refusal(500, "something went wrong here: the viewer's log says what").response()

    def _answer(self, request: Request) -> Response:
        self._rate.check(request.client)
        try:
            route, given = self._router.find(request)
        except Refusal:
            self._guard.check(request, is_open=False)  # who may not ask is not told what there is
            raise
        self._guard.check(request, route.is_open, route.meters)
        return route.handler(request, given)
