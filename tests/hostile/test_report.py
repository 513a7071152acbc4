"""Names in the data that want to be markup, script, formats or colours stay names."""

import pytest
from tests.report.reading import Page
from tests.report.runs import classify_run, forecast_run, regress_run

from unrolled.core.records import Note, Run
from unrolled.report import comparison, html

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    '" onmouseover="alert(1)" x="',
    "</style></title></pre><svg/onload=alert(1)>",
    "]]></noscript>",
    "{a} {b|style} %s \\u003c ${x}",
    "var(--model)",
    "\u2028\u2029\x00\x1b[31m\u202egnp\ud800",
    "长" * 5000,
    "",
]


def poisoned(run: Run, name: str) -> Run:
    """The run with ``name`` in every place that a user's file or command line reaches."""
    note = Note(code="x", en=name, zh=name, level="warning")
    data = run.data.model_copy(
        update={
            "source": name,
            "columns": ({"name": name, "role": name, "kind": name, name: name, "categories": (name,) * 20},),
            "notes": (note,),
            "parts": {name: 1},
            "span": (name, name),
            "frequency": name,
            "fingerprint": name,
        }
    )
    facts = run.facts.model_copy(
        update={"name": name, "target": (name,), "command": name, "created": name, "environment": {name: name}}
    )
    pictures = tuple(
        picture.model_copy(
            update={
                key: name if key != "time" else (name,) * len(getattr(picture, "time", ()))
                for key in ("target", "series", "name", "x_label", "y_label", "time")
                if hasattr(picture, key)
            }
        )
        for picture in run.evaluation.pictures
    )
    evaluation = run.evaluation.model_copy(update={"pictures": pictures, "notes": (note,), "part": name})
    net = run.net.model_copy(update={"layers": ((name, name, 1),), "spec": name})
    config = {name or "x": [name, {name: name}]}
    curves = tuple({"epoch": row["epoch"], name: 1.0, f"train_{name}": 2.0} for row in run.curves)
    return run.model_copy(
        update={"data": data, "facts": facts, "evaluation": evaluation, "net": net, "config": config, "curves": curves}
    )


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_is_only_ever_a_name(name: str) -> None:
    runs = [forecast_run(), classify_run((name, "b", name)), regress_run()]
    made = [html.render(poisoned(run, name)) for run in runs]
    made.append(comparison.render([poisoned(run, name) for run in runs[:2]]))
    harmless = [Page(html.render(run)) for run in runs]
    for source, ordinary in zip(made, harmless, strict=False):
        source.encode()
        page = Page(source)
        allowed = {tag for tag, _ in ordinary.tags}
        assert {tag for tag, _ in page.tags} <= allowed
        assert len(page.scripts) == 2 and page.options
        attributes = {key for _, found in page.tags for key in found}
        assert attributes <= {key for _, found in ordinary.tags for key in found}
    if name.isprintable() and name:
        assert name in Page(made[0]).text


def test_no_name_reaches_a_style() -> None:
    sources = [html.render(poisoned(classify_run(("red;background:url(//x)",) * 2), "red;background:url(//x)"))]
    for source in sources:
        styles = [attributes["style"] for _, attributes in Page(source).tags if "style" in attributes]
        assert styles and not [style for style in styles if "url" in style]
