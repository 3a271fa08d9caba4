"""The door between a phone and its network: what goes out can be lost, kept back, or cut off."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.sim.datagrams import HostPort, Received
from rapida_tw.sim.udp import Network, Socket


class Gate:
    """A Network through another one. `loses` says which of the datagrams sent are lost."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: list[tuple[Socket, bytes, HostPort]] | None = None
        self.loses: Callable[[bytes], bool] | None = None
        self.dead = False  # nothing goes or comes any more, as after a power failure

    def bind(self, host: str, port: int = 0) -> GatedSocket:
        return GatedSocket(self, self._network.bind(host, port))

    def stall(self) -> None:
        """Keep back what is sent."""
        self._kept = self._kept or []

    def unstall(self) -> None:
        """Send all that was kept back, at once."""
        kept, self._kept = self._kept, None
        for socket, data, address in kept or ():
            socket.send(data, address)

    def pass_on(self, socket: Socket, data: bytes, address: HostPort) -> bool:
        if self.dead or (self.loses is not None and self.loses(data)):
            return True
        if self._kept is not None:
            self._kept.append((socket, data, address))
            return True
        return socket.send(data, address)


class GatedSocket:
    """One socket behind the gate."""

    def __init__(self, gate: Gate, socket: Socket) -> None:
        self._gate = gate
        self._socket = socket
        self.address = socket.address

    def send(self, data: bytes, address: HostPort) -> bool:
        return self._gate.pass_on(self._socket, data, address)

    def hear(self, received: Received) -> None:
        gate = self._gate
        self._socket.hear(lambda data, address: gate.dead or received(data, address))

    def close(self) -> None:
        self._socket.close()
