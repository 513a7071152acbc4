"""Why a model answered one row as it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.core.bundle import Bundle
from unrolled.core.diagnosis import Example
from unrolled.core.errors import ConfigError, DataError
from unrolled.core.explanation import Change, Explanation, Share, Step
from unrolled.core.files import write_text
from unrolled.core.records import Language
from unrolled.data import Batch
from unrolled.diagnose.attribution import Attribution, Rest, average, integrated_gradients
from unrolled.diagnose.figure import Figure, figure_of
from unrolled.diagnose.held import Part, held
from unrolled.diagnose.neighbours import nearest, represented
from unrolled.diagnose.score import with_score
from unrolled.nets import Net
from unrolled.prepare.decoding import AnomalyDecoding
from unrolled.prepare.pairing import SIDE
from unrolled.prepare.series import Series
from unrolled.report import explanation as page
from unrolled.report.charts import short_times
from unrolled.workflow.asked import Asked, asked, batches
from unrolled.workflow.explain_pictures import looks, share_map
from unrolled.workflow.model import Model
from unrolled.workflow.names import columns_of, shown, stamp
from unrolled.workflow.predict import open_bundle
from unrolled.workflow.rebuilt import rebuilt
from unrolled.workflow.reply import Reply, derived

_STRETCHES, _TOKENS = 8, 60
_CHANGES, _NEIGHBOURS = 8, 3


def explain(
    source: Path | str | Bundle,
    data: Any,
    *,
    row: int | None = None,
    target: str | None = None,
    label: str | None = None,
    step: int | None = None,
    **options: Any,
) -> Explanation:
    """Explain one answer of a bundle.

    Args:
        source: bundle file, folder of a run, or a bundle in memory.
        data: file, folder, frame or array; its average row is what the answer is compared with.
        row: number of the answer, as ``unrolled predict --all`` lists them, from 1; None takes the last.
        target: which of several targets; None takes the first.
        label: the class, or the string of labels, whose probability is explained; None takes the predicted one.
        step: of a forecast, from 1; None explains the mean over the horizon.
        options: of the reader.

    Raises:
        UnrolledError: bundle and data do not fit, there is no such row, target, label or step, the row has no score,
            or the net is a user's own module.
    """
    bundle = open_bundle(source)
    where = "the bundle" if isinstance(source, Bundle) else str(source)
    net = rebuilt(bundle, where)
    model = Model.of(bundle, net)
    if step is not None and not model.preprocessor.schema.forecast:
        raise ConfigError("only a forecast has steps", where="--step", mend="leave it out for this model")
    series = model.predictor.series(data, **options)
    wanted = asked(model, series, row)
    reply = Reply(model, series, derived(model, series), _target(model, target), step, wanted.place)
    return _case(net, series, wanted, reply, label).explanation(where)


def write_explanation(found: Explanation, out: Path, language: Language) -> Path:
    """One HTML file, with the numbers beside it as JSON and the pictures as SVG; returns the page."""
    write_text(out.with_suffix(".json"), found.model_dump_json(indent=1))
    for name, picture in page.drawings(found, language).items():
        write_text(out.with_name(f"{out.stem}-{name}.svg"), picture)
    write_text(out, page.render(found, language))
    return out


def _target(model: Model, name: str | None) -> int:
    names = [column.name for column in model.preprocessor.schema.of_role("target")]
    if name is not None and not names:
        raise ConfigError("this model has no target column", where="--target", mend="leave it out")
    if name is not None and name not in names:
        raise ConfigError(f"there is no target {name!r}", where="--target", mend=f"choose one of {', '.join(names)}")
    return 0 if name is None else names.index(name)


def _case(net: Net, series: Series, wanted: Asked, reply: Reply, label: str | None) -> _Case:
    (batch,) = batches(reply.model, series, wanted.sample)
    others = batches(reply.model, series, wanted.others)
    decoding, plain = reply.model.decoding, net
    if isinstance(decoding, AnomalyDecoding):
        if label is not None:
            raise ConfigError("a score has no classes", where="--class", mend="leave it out for this model")
        plain = with_score(net, decoding, None)
        net = with_score(net, decoding, wanted.place, _scored(reply.model, series, wanted, decoding))
    with torch.no_grad():
        output = net(**batch.inputs())
    place = reply.step if wanted.place is None else wanted.place
    figure = figure_of(decoding, output, target=reply.target, label=label, step=place)
    return _Case(net, plain, series, wanted, reply, batch, others, output, figure, average(net, others))


def _scored(model: Model, series: Series, wanted: Asked, decoding: AnomalyDecoding) -> Tensor:
    """``(1, T, C)`` where the row has a value.

    Raises:
        DataError: it is one of the rows that get no score.
    """
    truth = model.preprocessor.arrays(series, replace(wanted.sample, lead=None), truth=False).y
    assert truth is not None
    place, known = wanted.place, np.isfinite(truth)
    begin = max(decoding.warm_up, 1 if decoding.kind == "forecast" else 0)
    if place is not None and (place < begin or not known[0, place].any()):
        raise DataError(
            "this row has no score: it has no value, or it is one of the first "
            f"{begin} of its sequence, about which nothing is said",
            where=f"--row {wanted.number}",
            mend="name another one",
        )
    return torch.from_numpy(known)


@dataclass(frozen=True)
class _Case:
    """One answer and all that is needed to look at it from several sides; ``plain`` answers whole sequences."""

    net: Net
    plain: Net
    series: Series
    asked: Asked
    reply: Reply
    batch: Batch
    others: list[Batch]
    output: Tensor
    figure: Figure
    rest: Rest

    def explanation(self, source: str) -> Explanation:
        sample, model = self.asked.sample, self.reply.model
        found = integrated_gradients(self.net, self.batch, self.figure.value, self.rest, fixed=self._fixed)
        figure, rest = self.reply.figures(torch.cat([self.output, found.resting]), sample, self.figure)
        apart = float(found.figure[0] - found.rest[0])
        scale = (figure - rest) / apart if apart else 0.0  # model scale to units of the answer
        names = [column.name for column in model.preprocessor.schema.of_role("target")]
        columns, steps = self._columns(found, scale), tuple(self._steps(found, scale))
        words = [next(iter(step.values.values()), "") for step in steps] if self._tokens else []
        times = words or short_times([step.at for step in steps])
        return Explanation(
            source=source,
            data=self.series.source,
            id=self.series.ids[int(sample.series[0])],
            at=self._at(int(sample.begin[0]), int(sample.end[0])),
            row=self.asked.number,
            task=model.task.name,
            target=names[self.reply.target] if names else "",
            answer=self.reply.said(self.output, sample)[0],
            explained=self.figure.name,
            scale=self.figure.scale,
            threshold=getattr(model.decoding, "threshold", None),
            figure=figure,
            rest=rest,
            gap=float(found.gap[0]),
            columns=columns,
            steps=steps,
            changes=self._changes(figure, self._parts(found.x[0])),
            neighbours=self._neighbours(),
            tokens=self._tokens,
            pictures=(
                *share_map(steps, [share.name for share in columns], times),
                *looks(self.net, self.batch, times),
            ),
        )

    @property
    def _fixed(self) -> tuple[int, ...]:
        """Inputs without an average: which side of a pair a step belongs to."""
        if self.reply.model.task.name != "pairs":
            return ()
        return tuple(at for at, name in enumerate(self._names["x"]) if name == SIDE)

    @property
    def _tokens(self) -> bool:
        """Each step is one category and nothing else, as the words of a text are."""
        layout = self.reply.model.preprocessor.layout
        return len(layout.numbers) == len(self._fixed) and not layout.from_time and len(layout.codes) == 1

    @property
    def _unmoved(self) -> set[str]:
        return {self._names["x"][at] for at in self._fixed}

    @property
    def _names(self) -> dict[str, tuple[str, ...]]:
        return columns_of(self.reply.model.preprocessor, self.net)

    def _at(self, begin: int, end: int) -> str:
        """Where the answer stands; nothing where it is to a whole sequence."""
        targets = self.reply.model.preprocessor.schema.of_role("target")
        if self.asked.place is not None:
            return stamp(self.series, begin + self.asked.place)
        return "" if all(column.level == "case" for column in targets) else stamp(self.series, end - 1)

    def _columns(self, found: Attribution, scale: float) -> tuple[Share, ...]:
        """All inputs that were moved; what has one name is one column."""
        sums: dict[str, float] = {}
        parts = {"x": found.x[0].sum(0)}
        parts |= {} if found.static is None else {"static": found.static[0]}
        parts |= {} if found.known is None else {"known": found.known[0].sum(0)}
        for part, values in parts.items():
            _add(sums, self._names[part], values, scale)
        shares = [Share(name=name, share=value) for name, value in sums.items() if name not in self._unmoved]
        return tuple(sorted(shares, key=lambda share: -abs(share.share)))

    def _steps(self, found: Attribution, scale: float) -> Iterator[Step]:
        layout, sample = self.reply.model.preprocessor.layout, self.asked.sample
        begin, end = int(sample.begin[0]), int(sample.end[0])
        read = (*layout.codes, *layout.numbers) if self._tokens else (*layout.numbers, *layout.codes)
        places = [self.series.index(column) for column in read]
        columns = [(self.series.row_columns[place], place) for place in places]  # its own categories, not the model's
        weights = self._attention(end - begin)
        for at, row in enumerate(range(begin, end)):
            shares: dict[str, float] = {}
            _add(shares, self._names["x"], found.x[0, at], scale)
            shares = {name: value for name, value in shares.items() if name not in self._unmoved}
            raw = self.series.values[row]
            yield Step(
                at=stamp(self.series, row),
                values={column.name: shown(column, float(raw[place])) for column, place in columns},
                shares=shares,
                attention=None if weights is None else weights[at],
            )

    def _attention(self, steps: int) -> list[float] | None:
        """Weight of each input step; where layers made one step of several, these share its weight."""
        with torch.no_grad():
            given = self.net.attention(self.batch.x, self.batch.lengths, self.batch.static, self.batch.known)
        if given is None:
            return None
        weights = given[0].tolist()
        pace = -(-steps // len(weights))
        return [weights[at // pace] / pace for at in range(steps)]

    def _changes(self, figure: float, parts: Sequence[Part]) -> tuple[Change, ...]:
        """What the answer would be with each part at its average."""
        sample = self.asked.sample
        outputs = held(self.net, self.batch, self.rest, parts, fixed=self._fixed)
        own = self.reply.said(self.output, sample)[0]
        told = zip(
            parts, self.reply.figures(outputs, sample, self.figure), self.reply.said(outputs, sample), strict=True
        )
        found = [
            Change(
                name=part.name,
                begin=0 if part.name else part.begin + 1,
                end=0 if part.name else part.end,
                answer=said,
                figure=value,
                flips=said != own and not self.reply.number,
            )
            for part, value, said in told
        ]
        return tuple(sorted(found, key=lambda change: (not change.flips, -abs(change.figure - figure)))[:_CHANGES])

    def _parts(self, added: Tensor) -> list[Part]:
        """Every column, where there are several, and stretches of the time that adds anything; of a text its steps."""
        time = int(self.asked.sample.lengths[0])
        active = added[:time].any(1).nonzero()
        first, last = (int(active[0]), int(active[-1]) + 1) if len(active) else (0, time)
        places: dict[str, dict[str, tuple[int, ...]]] = {}
        for part, own in self._names.items():
            for at, name in enumerate(own):
                if name in self._unmoved:
                    continue
                entry = places.setdefault(name, {})
                entry[part] = (*entry.get(part, ()), at)
        columns = [Part(name, 0, time, **own) for name, own in places.items()] if len(places) > 1 else []
        count = min(last - first, _TOKENS if self._tokens else _STRETCHES)
        edges = np.linspace(first, last, count + 1).round().astype(int).tolist()
        return columns + [Part("", begin, end) for begin, end in pairwise(edges)]

    def _neighbours(self) -> tuple[Example, ...]:
        """The rows that are most alike, and the nearest one with another answer."""
        if self.asked.place is not None:
            return ()
        others, own = self.asked.others, self.asked.sample
        order, away = nearest(represented(self.plain, self.others), represented(self.plain, [self.batch])[0])
        answers = list(self._answers())
        apart = [at for at, i in enumerate(order.tolist()) if self.asked.numbers[i] != self.asked.number]
        chosen, answer = apart[:_NEIGHBOURS], self.reply.said(self.output, own)[0]
        if not self.reply.number:
            chosen += [at for at in apart[_NEIGHBOURS:] if answers[int(order[at])] != answer][:1]
        truth = self.reply.truth(others)
        return tuple(
            Example(
                id=self.series.ids[int(others.series[i])],
                at=self._at(int(others.begin[i]), int(others.end[i])),
                row=int(self.asked.numbers[i]),
                truth=truth[i],
                answer=answers[i],
                figure=float(away[at]),
            )
            for at, i in ((at, int(order[at])) for at in chosen)
        )

    def _answers(self) -> Iterator[str]:
        """What is said of the other rows."""
        begin = 0
        for batch in self.others:
            with torch.no_grad():
                output = self.plain(**batch.inputs())
            yield from self.reply.said(output, self.asked.others[begin : begin + len(batch)])
            begin += len(batch)


def _add(sums: dict[str, float], names: tuple[str, ...], values: Tensor, scale: float) -> None:
    for name, value in zip(names, values.tolist(), strict=True):
        sums[name] = sums.get(name, 0.0) + scale * value
