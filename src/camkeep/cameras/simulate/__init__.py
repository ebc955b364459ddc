"""Cameras that are not there: real HTTP servers that behave, and misbehave, like cameras."""

from camkeep.cameras.simulate.faults import Fault, Kind, parse_fault
from camkeep.cameras.simulate.options import Sent, SimulatorOptions
from camkeep.cameras.simulate.simulator import Simulator

__all__ = ["Fault", "Kind", "Sent", "Simulator", "SimulatorOptions", "parse_fault"]
