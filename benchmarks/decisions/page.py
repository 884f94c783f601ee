"""docs/performance-decisions.md, from what a run measured."""

import os
import platform
from datetime import UTC, datetime

from . import section
from .engines import OURS
from .rules import ACTIONS

HEAD = """# How fast iamd decides

Written by `make bench-decisions`; don't edit it. {where}

One user has identity policies of 1 to 10,000 statements: 85 of 100 allow, 30 of 100 have conditions, and there are
whole ARNs, beginnings, other wildcards, `NotAction` and policy variables. {requests:,} requests, each with 18 or 19
condition keys, half of them allowed, are asked of every engine in the form that costs it least: AWS's JSON where the
engine reads that, else a translation into its own language, in which the user's name and the names of all actions are
already written out. Policies are parsed once, requests are built before the clock starts, and each engine runs in a
process of its own. Each loads the policies {loads} times, or twice when that takes it long; then the engines take turns
to decide, for {rounds} rounds, and the best sixth of a round of each counts. E7 and E8 are of rounds in which the sizes
took turns.

Compare figures of one table only: machines differ, ratios between engines less so. Every answer is compared with
iamd's, and iamd's with those of the slow model in tests/policy/reference.py, which was written from AWS's pages alone.
A peer with less than {right:.0%} of its answers right is shown, but no goal is measured against it.

"iamd, compiled" is the same engine in the wheel that `make wheel-compiled` builds: its modules go through mypyc.

From 1,000 statements on, most actions have an unconditional Allow for every resource, behind which iamd needs to look
at no other; a table of its own has 10,000 statements without these.

## Goals

| id | what | goal | measured | met |
|---|---|---|---|---|
"""

COLUMNS = """
| engine | decisions per CPU second | iamd is faster by | p50, us | p99, us | load, ms | memory, MiB | other answers |
|---|--:|--:|--:|--:|--:|--:|--:|
"""

FOOT = """
## What the columns say

* **Decisions per CPU second**: one thread, one request after the other; **p50** and **p99** are of single decisions by
  the clock, of which reading the clock takes about 0.1 us.
* **Load**: CPU from the text of the policies, in the engine's language, until it can decide; up to 100 other statements
  were loaded before. iamd's second figure is what it does on the first request for an action, building its index, for
  all {actions} actions of the workload.
* **Memory**: the whole process, with its language's run time, the engine's library and the requests.
* **Other answers**: how many answers are not iamd's, of how many. Where a decision is slow, fewer were asked.

## How the peers are asked

* **cedarpy**: a Cedar policy for each statement; `PolicySet` and `Entities` are made once, the context of a request is
  JSON already. The line "parsing each time" hands over texts instead.
* **opa-eval** and **regopy**: one Rego module, and the statements as data by effect and action. opa-eval gets JSON
  text, regopy a built `Input` and a compiled bundle.
* **casbin**: `FastEnforcer` with a row for each statement and action, found by the action; the matcher calls two Python
  functions whose reading of a row is remembered.
* **moto**: its `IAMPolicy`, made once, asked as its own check of an action does. It knows no conditions of identity
  policies and no policy variables.
* **ministack**: its `evaluate` with statements parsed once. It compares `aws:CurrentTime` with the real time, whatever
  the request says.
* **iam-simulate**: `authorize`, which is below its checks of the input, with policies and requests made once.
"""


def text(report, worlds):
    """The page."""
    parts = [
        HEAD.format(
            where=_where(), requests=section.REQUESTS, loads=section.LOADS, rounds=section.ROUNDS, right=section.RIGHT
        )
    ]
    parts += [f"| {' | '.join(row)} |\n" for row in sorted(report.rows, key=_order)]
    for world in worlds:
        parts += [f"\n## {world.name}\n{COLUMNS}", *(_row(world, one) for one in section.ENGINES)]
        parts.append(
            f"\nThe model answered {len(world.model):,} of the requests, {world.unlike_model()} not as iamd.\n"
        )
    return "".join([*parts, FOOT.format(actions=len(ACTIONS))])


def _order(row):
    number = row[0][1:]
    return int(number.rstrip("c")), number


def _row(world, engine):
    found, ours = world.of(engine), world.of(OURS)
    if not found.ran:
        return f"| {engine.name} | not run: {found.reason} | | | | | | |\n"
    cells = (
        engine.name,
        f"{found.per_second:,.0f}",
        "" if engine is OURS else f"{_figure(ours.per_second / found.per_second)}x",
        _figure(found.p50),
        _figure(found.p99),
        f"{_figure(found.load)} + {_figure(found.first)}" if found.first else _figure(found.load),
        f"{found.memory:,.0f}",
        f"{found.differences:,} of {len(found.answers):,}",
    )
    return f"| {' | '.join(cells)} |\n"


def _figure(value):
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _where():
    cores = len(os.sched_getaffinity(0))
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    interpreter = f"{platform.python_implementation()} {platform.python_version()}"
    load = f"{os.getloadavg()[2]:.0f} in the quarter of an hour before"
    return f"This is of {day}, {cores} cores with a load average of {load}, {interpreter}, with {section.where()}."
