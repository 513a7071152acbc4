"""Going on from an earlier model: what it was stays, where nothing else is said."""

from __future__ import annotations

from unrolled.workflow.config import Config
from unrolled.workflow.predict import open_bundle

_KEPT = ("horizon", "strategy")  # of the task's settings; others were fitted, or name functions to import


def as_before(config: Config) -> Config:
    """``config`` with the task, window, calendar and net of the bundle that it starts from, where it says nothing.

    Raises:
        BundleError: there is no such bundle, or it is damaged.
    """
    if config.start_from is None:
        return config
    manifest = open_bundle(config.start_from).manifest
    name = config.task.get("name") or "auto"
    encoder = manifest.task == "pretrain" != name  # any task may follow
    if not encoder and name not in ("auto", manifest.task):
        return config
    settings = {} if encoder else manifest.settings.get("task", {})
    task = {"name": name if encoder else manifest.task, **{key: settings[key] for key in _KEPT if key in settings}}
    task |= {key: value for key, value in config.task.items() if key != "name"}
    window = manifest.settings.get("window") if config.data.window is None and not encoder else None
    schema = manifest.settings.get("schema")
    calendar = schema.get("calendar") if config.data.calendar is None and isinstance(schema, dict) else None
    data = {"window": window, "calendar": calendar}
    return config.over(
        {"task": task, "net": manifest.net if config.net is None else None, "data": data},
        where=config.start_from,
    )
