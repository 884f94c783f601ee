"""The goals of the decision engine, and the report of a run of this benchmark alone."""

GOALS = (
    ("E0", "1 statement: decisions a second over the fastest peer's that answers right", ">=", 5, "x"),
    ("E1", "10 statements: the same", ">=", 14, "x"),
    ("E2", "100 statements: the same", ">=", 45, "x"),
    ("E3", "1,000 statements: the same", ">=", 100, "x"),
    ("E1c", "10 statements, compiled (`make wheel-compiled`): the same", ">=", 40, "x"),
    ("E2c", "100 statements, compiled: the same", ">=", 120, "x"),
    ("E3c", "1,000 statements, compiled: the same", ">=", 300, "x"),
    ("E4", "100 statements: over cedarpy's, all parsed once", ">=", 120, "x"),
    ("E5", "100 statements: over cedarpy's, parsing each time", ">=", 1500, "x"),
    ("E6", "100 statements: over iam-simulate's", ">=", 800, "x"),
    ("E7", "a decision among 10,000 statements over one among 1,000", "<=", 1.5, "x"),
    ("E8", "a decision among 10,000 statements over one among 10", "<=", 10, "x"),
    ("E9", "1,000 statements of one service, all with wildcards: over the fastest peer's", ">=", 200, "x"),
    ("E10", "loading 100 statements over cedarpy's parsing of them", "<=", 0.7, "x"),
    ("E11", "answers equal to the reference model's, all sizes", ">=", 100, "%"),
)
"""Id, what is measured, sign, bound and unit."""


class Report:
    """What was measured, printed at once and kept as rows of a table."""

    def __init__(self):
        self._goals = {goal[0]: goal for goal in GOALS}
        self.rows = []
        self.missed = 0

    def tell(self, id, value):
        """Print and keep a goal's row."""
        _, what, sign, bound, unit = self._goals.pop(id)
        met = value <= bound if sign == "<=" else value >= bound
        self.missed += not met
        shown = f"{value:,.2f}" if value < 10 else f"{value:,.0f}"
        self.rows.append((id, what, f"{sign} {bound:g}{unit}", f"{shown}{unit}", "yes" if met else "NO"))
        print("{:4} {:80} {:>10} {:>10}  {}".format(*self.rows[-1]), flush=True)

    def note(self, text):
        """Print what is no goal."""
        print(f"     {text}", flush=True)

    def end(self):
        """The goals that could not be measured, each with a row."""
        for id, what, sign, bound, unit in self._goals.values():
            self.rows.append((id, what, f"{sign} {bound:g}{unit}", "not run", ""))
