"""grpc.health.v1.Health/Check, for load balancers; no key is asked for."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.rpc.base import Methods
from rapida_tw.rpc.messages.health_pb2 import HealthCheckRequest, HealthCheckResponse
from rapida_tw.rpc.unary import Unary

_States = HealthCheckResponse.ServingStatus


class Health:
    """`trouble`: why no new call is taken; "" when one is."""

    def __init__(self, trouble: Callable[[], str], services: frozenset[str]) -> None:
        self._trouble = trouble
        self._services = services

    def methods(self) -> Methods:
        return {"/grpc.health.v1.Health/Check": Unary(HealthCheckRequest, self.check, None)}

    async def check(self, caller: None, request: HealthCheckRequest) -> HealthCheckResponse:
        """The service "" is the server."""
        if request.service and request.service not in self._services:
            return HealthCheckResponse(status=_States.SERVICE_UNKNOWN)
        return HealthCheckResponse(
            status=_States.NOT_SERVING if self._trouble() else _States.SERVING
        )
