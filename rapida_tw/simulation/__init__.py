"""Simulation: whole calls in virtual time, through everything but the sockets.

    sim = Simulation(greeting="Hello. How can I help?", replies=[["hours", "We open at nine."]])
    sim.says("what are your hours", at=4.0, lasting=1.2)
    sim.run(until=10.0)
    sim.dialogue        # [("assistant", "Hello. How can I help?"), ("user", ...), ...]

The server's own code runs from the wire's bytes up; the far side is the carrier farm's. Only
hearing and speaking are scripted (speech/scripted.py), and the clock is ours.
"""

from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.server import VirtualServer, done
from rapida_tw.simulation.story import Simulation

__all__ = ["Simulation", "VirtualClock", "VirtualServer", "done"]
