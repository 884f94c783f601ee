"""Decisions of iamd's engine beside other engines', on one workload, in one run: E0 to E11."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from . import engines, in_aws, workload
from .engines import CEDAR, CEDAR_PARSING, MODEL, OURS, OURS_COMPILED, PEER_ENGINES, SIMULATE, NotRunError, Running

ENGINES = (OURS, OURS_COMPILED, *PEER_ENGINES)
SIZES = (1, 10, 100, 1_000, 10_000)
LOADS = 10
"""How often each engine loads the policies, in a new process each time."""
LONG_LOAD = 100.0
"""Milliseconds from which on they are loaded once: others' use of the machine matters less."""
ROUNDS = 10
"""How often the engines take turns to decide: the machine is faster at one moment than at another, for all of them."""
TIME_SECONDS = 0.1
REQUESTS = 1000
ANSWER_SECONDS = 2
MODEL_SECONDS = 8
RIGHT = 0.98
"""A peer that answers fewer right is shown, and no goal is measured against it."""

ONE_SERVICE = "1,000 statements of one service, all with wildcards"
NARROW = "10,000 statements, none for every resource"


@dataclass
class Figures:
    """What was measured of one engine on one set of policies: the best of the rounds, or why it was not run."""

    reason: str = ""
    answers: str = ""
    differences: int = 0
    per_second: float = 0.0
    """Decisions per second of CPU."""
    p50: float = float("inf")
    p99: float = float("inf")
    """Of one decision, in microseconds."""
    load: float = float("inf")
    """Milliseconds of CPU from the engine's own form of the policies until it can decide."""
    first: float = float("inf")
    """Milliseconds of what it does once more for each action, when it is first asked for."""
    memory: float = float("inf")
    """Resident MiB of the process, library and requests with it."""

    @property
    def right(self):
        """The part of the answers that are ours."""
        return 1 - self.differences / len(self.answers)

    @property
    def ran(self):
        return not self.reason

    def load_into(self, running, world):
        """Load the policies into a new process."""
        load, first = running.load(world.statements, world.documents, world.asks)
        self.load, self.first = min(self.load, load * 1e3), min(self.first, first * 1e3)
        if not self.answers:
            self.answers = running.answers(ANSWER_SECONDS)

    def time(self, running):
        """One round of decisions."""
        times = running.times(TIME_SECONDS)
        self.per_second = max(self.per_second, times.count / times.cpu)
        self.p50, self.p99 = min(self.p50, times.p50 / 1e3), min(self.p99, times.p99 / 1e3)
        self.memory = min(self.memory, running.memory())


@dataclass
class World:
    """One set of policies, the requests, and what each engine made of them."""

    name: str
    statements: list
    documents: list = field(init=False)
    asks: list = field(init=False)
    figures: dict = field(default_factory=dict)
    model: str = ""
    """The reference model's answers."""

    def __post_init__(self):
        self.documents = in_aws.documents(self.statements)
        ours = in_aws.Iamd()
        ours.load(self.documents)
        self.asks = workload.balanced(self.statements, REQUESTS, lambda ask: ours.decide(ours.prepare(ask)))

    def of(self, engine):
        """The figures of an engine."""
        return self.figures[engine.name]

    def fastest(self):
        """The figures of the fastest peer that answers right, or None."""
        fit = [found for engine in PEER_ENGINES if (found := self.of(engine)).ran and found.right >= RIGHT]
        return max(fit, key=lambda found: found.per_second, default=None)

    def unlike_model(self, engine=OURS):
        """How many of our answers are not the model's."""
        return _differences(self.model, self.of(engine).answers)

    def agreement(self, engine):
        """The part of our answers that are the model's, in percent."""
        return 100 * (1 - self.unlike_model(engine) / len(self.model))


def run(report, folder):
    """Measure, and tell the report; gives what was measured, world by world."""
    worlds = {}
    for name, statements in _sets():
        worlds[name] = world = World(name, statements)
        _measure(world)
        for engine in ENGINES:
            report.note(f"{name}: {engine.name}: {_line(world.of(engine), world.of(OURS))}")
    for id, value in _goals(worlds):
        if value is not None:
            report.tell(id, value)
    return list(worlds.values())


def _sets():
    for size in SIZES:
        yield _sized(size), workload.statements(size)
    yield NARROW, workload.statements(10_000, wide=False)
    yield ONE_SERVICE, workload.statements(1_000, services=("s3",), whole=0.0)


def _sized(size):
    return f"{size:,} statement{'' if size == 1 else 's'}"


def _measure(world):
    """Have each engine load the policies, then let them take turns."""
    world.figures = {engine.name: Figures() for engine in ENGINES}
    for _ in range(LOADS - 1):
        for engine in ENGINES:
            load = world.of(engine).load
            if load < LONG_LOAD or load == float("inf"):
                with ExitStack() as stack:
                    _load(engine, world, stack)
    with ExitStack() as stack:
        running = {engine: _load(engine, world, stack) for engine in ENGINES}
        for _ in range(ROUNDS):
            for engine, process in running.items():
                if process is not None:
                    _unless_not_run(engine, world.of(engine), partial(world.of(engine).time, process))
    with Running(MODEL) as model:
        model.load(world.statements, world.documents, world.asks)
        world.model = model.answers(MODEL_SECONDS)
    for found in world.figures.values():
        found.differences = _differences(found.answers, world.of(OURS).answers)


def _load(engine, world, stack):
    """A process of the engine with the policies, which ends with the stack; None when it can't be run."""
    found = world.of(engine)
    if len(world.statements) > engine.largest:
        found.reason = "a decision takes too long to be measured"

    def loaded():
        process = stack.enter_context(Running(engine))
        found.load_into(process, world)
        return process

    return _unless_not_run(engine, found, loaded)


def _unless_not_run(engine, found, do):
    """What `do` gives, or None when the engine can't be run, which stands in what was found of it then."""
    if found.reason:
        return None
    try:
        return do()
    except NotRunError as why:
        if engine is OURS:
            raise
        found.reason = str(why)
        return None


def _growth(worlds):
    """Our decisions a second in each world, measured in turns."""
    with ExitStack() as stack:
        found = {world.name: Figures() for world in worlds}
        running = {world.name: _load(OURS, world, stack) for world in worlds}
        for _ in range(ROUNDS):
            for name, process in running.items():
                found[name].time(process)
    return [one.per_second for one in found.values()]


def _differences(answers, others):
    """How many of the answers, as far as both go, are not the same."""
    return sum(one != other for one, other in zip(answers, others, strict=False))


def _goals(worlds):
    """Each goal and what was measured, or None where a peer was not run."""
    one, ten, hundred, thousand, most = (worlds[_sized(size)] for size in SIZES)
    for id, world in (("E0", one), ("E1", ten), ("E2", hundred), ("E3", thousand), ("E9", worlds[ONE_SERVICE])):
        yield id, _over(world, world.fastest())
    for id, world in (("E1c", ten), ("E2c", hundred), ("E3c", thousand)):
        yield id, _over(world, world.fastest(), OURS_COMPILED)
    for id, engine in (("E4", CEDAR), ("E5", CEDAR_PARSING), ("E6", SIMULATE)):
        yield id, _over(hundred, hundred.of(engine))
    few, many, most_of_all = _growth((ten, thousand, most))
    yield "E7", many / most_of_all
    yield "E8", few / most_of_all
    cedar = hundred.of(CEDAR)
    yield "E10", hundred.of(OURS).load / cedar.load if cedar.ran else None
    yield "E11", min(world.agreement(engine) for world in worlds.values() for engine in (OURS, OURS_COMPILED))


def _over(world, peer, engine=OURS):
    ours = world.of(engine)
    return ours.per_second / peer.per_second if peer is not None and peer.ran and ours.ran else None


def _line(found, ours):
    if not found.ran:
        return f"not run: {found.reason}"
    return (
        f"{found.per_second:,.0f}/s ({ours.per_second / found.per_second:,.1f}x), p50 {found.p50:,.1f} us, "
        f"p99 {found.p99:,.1f} us, load {found.load:,.2f} ms, {found.memory:,.0f} MiB, "
        f"{found.differences} of {len(found.answers)} answers differ"
    )


def where():
    """The versions that were compared."""
    return ", ".join(f"{name} {version}" for name, version in engines.versions().items())
