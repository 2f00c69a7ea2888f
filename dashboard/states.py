"""How a machine state looks: its word, and the class that gives it colour and icon in `assets/floor.css`."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.words import Words, mark
from plant.machine_state import MachineState

LABELS = {
    MachineState.EXECUTING: mark("Executing"),
    MachineState.IDLE: mark("Idle"),
    MachineState.STARVED: mark("Starved"),
    MachineState.BLOCKED: mark("Blocked"),
    MachineState.HELD: mark("Held"),
    MachineState.SETUP: mark("Setup"),
    MachineState.PLANNED_STOP: mark("Planned stop"),
    MachineState.BREAKDOWN: mark("Breakdown"),
    MachineState.OFFLINE: mark("Offline"),
    MachineState.UNKNOWN: mark("Unknown"),
}


def css_class(state: MachineState) -> str:
    """Return the class that colours this state."""
    return f"state-{state.value.replace(' ', '-')}"


def icon(name: str) -> Component:
    """Return one of the icons in `assets/icons`, in the colour of the text around it."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})


def badge(state: MachineState, say: Words) -> Component:
    """Return a state as icon and word: never colour alone."""
    return html.Span([icon(css_class(state)), say(LABELS[state])], className=f"state-badge {css_class(state)}")
