"""From an estimator's arguments to the config of a job."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

from sklearn.utils import check_random_state

from unrolled.core.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.workflow.config import Config

FEWEST = 10  # samples of a validation part; with fewer, a 90 % interval cannot be calibrated

_TRAIN = ("epochs", "batch_size", "learning_rate")


def config_of(
    given: Config, arguments: Mapping[str, Any], task: str, *, spare: bool, target: tuple[str, ...]
) -> Config:
    """Arguments go before settings, and those before what estimators do by default.

    Args:
        given: what ``settings`` say.
        arguments: of the estimator's constructor.
        task: name of the task.
        spare: there are samples to spare for validation, should nobody say; none are for a test.
        target: columns to predict; empty leaves the choice to the settings and the data.

    Raises:
        ConfigError: a value that does not fit, or settings that contradict the estimator.
    """
    own = {"name": task, **{key: arguments.get(key) for key in ("horizon", "false_alarms", "similar")}}
    for key, value in own.items():
        if value is not None and given.task.get(key, value) != value:
            raise ConfigError(
                f"it is {given.task[key]!r} here, and {value!r} by the estimator",
                where=f"settings.task.{key}",
                mend="leave it out",
            )
    seed = seed_of(arguments["random_state"], given)
    told = given.data.split.model_fields_set
    own_split = {"valid": None if spare else 0, "test": 0, "seed": seed}
    split = {key: value for key, value in own_split.items() if key not in told}
    if arguments["valid"] is not None:
        split["valid"] = arguments["valid"]
    return given.over(
        {
            "data": {"window": arguments["window"], "target": target or None, "split": split},
            "task": own,
            "net": spec_of(arguments["net"]),
            "train": {key: arguments.get(key) for key in _TRAIN},
            "seed": seed,
        },
        where="",
    )


def seed_of(random_state: Any, given: Config) -> int:
    """The seed of the job: ``random_state``, else that of ``settings``, else one that is drawn."""
    if random_state is None and "seed" in given.model_fields_set:
        return given.seed
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def spec_of(net: Any) -> str | list[Any] | None:
    """The net as data; None where nothing was said, or where it is the user's own module.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(net, list | tuple):
        return list(net)
    if isinstance(net, str) or net is None:
        return net
    if not hasattr(net, "load_state_dict"):
        raise ConfigError(
            f"{type(net).__name__} is no net",
            where="net",
            mend="give a preset's name, a list of layers, or a torch module",
        )
    return None
