"""Ask the explorer what its OpenAPI description allows, and what it does not, with schemathesis in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema

from tests.explorer.conftest import TOKEN

# All checks that schemathesis has. A filter or a text that follows its schema may still ask what cannot be answered
# (a word for a time, an entity that nobody mentions); this is told by a documented 400.
_CHECKS = {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404"]}}

# The list with the one number 5 is id=5 in an address, and so is the number, which schemathesis thinks must be refused.
# A parameter that nobody knows is passed over, which schemathesis minds where the others are right.
_ACCEPTED = [
    {"include-path": path, "checks": {"negative_data_rejection": {"enabled": False}}}
    for path in ("/api/failures/tweets", "/model.json", "/models/compare.json")
]
PHASES = ("examples", "coverage", "fuzzing", "stateful")

# What a question may ask: most of the drawn values are of these, or hardly any would get as far as the database.
_ASKED: dict[str, list[str]] = {
    "label": ["PER", "loc", "ORG", "MISC", "", "GPE"],
    "since": ["2026-02-28", "2026-03-01T12:00", "3d", "99999w", "0001-01-01", ""],
    "until": ["2026-03-03", "2026-03-02T01:30:00+05:30", "1h", "9999-12-31T23:59:59", "", "soon"],
    "model": ["active", "1", "2", "", "3", "9" * 20],
    "text": ["rain", "lond*", '"rain in" -bob', "", '"', "-rain", "\0", "100% | & ! :*", "AND OR NOT NEAR(", "é" * 499],
    "query": ["in", "\u202e", "\ud7ff", "a'; DROP TABLE tweets; --", '"it\'s" "', "𝒳" * 120, "", "*"],
    "language": ["en", "PT", "", "\0"],
    "author": ["ann", "CY", "", "%", "a'b"],
    "name": ["london", "LOC:london", "bob", "PER:ann", "@ann", "são paulo", "nobody", "", "\0", "%_\\", "LOC:", ":"],
    "entity": ["ann", "LOC:london", "ORG:bob", "@ann", "100% sure", "", "\0"],
    "into": ["bob", "PER:ann", "LOC:london", "nobody"],
    "job": ["1", "fuzz", "\0", "9" * 30, "-1", "%2F"],
    "path.version": ["1", "active", "2", "0", "٣"],
}
_MOSTLY = 0.95


@dataclass
class Fuzzed:
    """How many requests were sent, how they were answered, and what was wrong with the answers."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def fuzz(app: Any, examples: int, seed: int, phases: Sequence[str]) -> Fuzzed:
    """Send requests to each operation: `examples` drawn ones, and in other phases those that probe the schema's edges,
    and chains in which one answer leads to the next request."""
    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "checks": _CHECKS,
            "operations": _ACCEPTED,
            "dictionaries": {name: {"values": values} for name, values in _ASKED.items()},
            "parameters": {name: {"dictionary": name, "probability": _MOSTLY} for name in _ASKED},
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {name: {"enabled": name in phases} for name in PHASES},
        }
    )
    found = Fuzzed()
    for event in from_schema(schemathesis.openapi.from_asgi("/api/openapi.json", app, config=config)).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(found, event)
        elif isinstance(event, events.NonFatalError):
            found.failures.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _note(found: Fuzzed, event: events.ScenarioFinished) -> None:
    for case_id, interaction in event.recorder.interactions.items():
        found.cases += 1
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
        for check in event.recorder.checks.get(case_id, ()):
            if check.failure_info is not None:
                failure = check.failure_info.failure
                told = f"{check.name}, {event.recorder.label}: {failure}"
                found.failures.append(f"{told}\n{check.failure_info.code_sample}")
