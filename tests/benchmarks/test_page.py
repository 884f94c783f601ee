"""The page of the decision benchmark: a peer that was not run has its line, and so has a goal that was not measured."""

from decisions import page, section, workload
from decisions.engines import CEDAR, OURS, OURS_COMPILED, SIMULATE
from decisions.goals import Report


def world():
    """One statement, of which iamd, cedarpy and a wrong peer were measured."""
    made = section.World("1 statement", workload.statements(1))
    made.figures = {engine.name: section.Figures(reason="it is not there") for engine in section.ENGINES}
    made.model = "1100"
    for engine, answers, speed in ((OURS, "1100", 1000.0), (CEDAR, "1100", 10.0), (SIMULATE, "1000", 500.0)):
        wrong = sum(one != other for one, other in zip(answers, made.model, strict=True))
        made.figures[engine.name] = section.Figures(
            "", answers, wrong, speed, 1.0, 2.0, 3.0, 5.0 if engine is OURS else 0.0, 4.0
        )
    return made


def test_a_peer_that_answers_wrong_is_no_measure():
    found = world()
    assert found.fastest() is found.of(CEDAR)
    found.figures[CEDAR.name] = section.Figures(reason="it is not there")
    assert found.fastest() is None


def test_agreement_is_with_the_model():
    found = world()
    assert found.agreement(OURS) == 100
    assert found.agreement(OURS_COMPILED) == 100  # it was not run
    found.model = "1101"
    assert found.agreement(OURS) == 75


def test_the_page_has_a_line_for_everything(capsys):
    report = Report()
    report.tell("E0", 100.0)
    report.tell("E10", 0.8)
    report.end()
    text = page.text(report, [world()])
    assert (
        "| E0 | 1 statement: decisions a second over the fastest peer's that answers right | >= 5x | 100x | yes |"
        in text
    )
    assert "| E10 | loading 100 statements over cedarpy's parsing of them | <= 0.7x | 0.80x | NO |" in text
    assert "| E6 | 100 statements: over iam-simulate's | >= 800x | not run |  |" in text
    assert text.index("| E3 ") < text.index("| E3c ") < text.index("| E4 ")
    assert text.index("| E9 ") < text.index("| E10 ")
    assert "## 1 statement\n" in text
    assert "| iamd | 1,000 |  | 1.00 | 2.00 | 3.00 + 5.00 | 4 | 0 of 4 |" in text
    assert "| cedarpy | 10 | 100x | 1.00 | 2.00 | 3.00 | 4 | 0 of 4 |" in text
    assert "| iam-simulate | 500 | 2.00x | 1.00 | 2.00 | 3.00 | 4 | 1 of 4 |" in text
    assert "| moto | not run: it is not there | | | | | | |" in text
    assert "The model answered 4 of the requests, 0 not as iamd." in text
    assert report.missed == 1
    assert "E10" in capsys.readouterr().out
