"""groundup trains a model of your own from the ground up.

Start reading at `groundup.lifecycle`: the eight steps as eight calls, on one page.

Examples
--------
>>> import groundup as gu
>>> run = gu.train("sample:penguins", target="species")  # doctest: +SKIP
>>> run.metrics["accuracy"], run.report  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundup.cli.progress import show_progress
    from groundup.core.errors import GroundupError
    from groundup.core.findings import Finding
    from groundup.lifecycle import check, compare, evaluate, init, reproduce, resume, train
    from groundup.lifecycle.comparison import Comparison
    from groundup.lifecycle.run import Run
    from groundup.recipe import Recipe
    from groundup.serving.model import Model
    from groundup.serving.package import load_model as load
    from groundup.serving.writer import Writer, load_writer
    from groundup.training.fit import fit
    from groundup.training.gradient_options import GradientOptions

__version__ = "0.1.0"

__all__ = [
    "check",
    "compare",
    "Comparison",
    "evaluate",
    "Finding",
    "fit",
    "GradientOptions",
    "GroundupError",
    "init",
    "load",
    "load_writer",
    "Model",
    "Recipe",
    "reproduce",
    "resume",
    "Run",
    "show_progress",
    "train",
    "Writer",
]

_HOMES = {
    "check": "groundup.lifecycle:check",
    "compare": "groundup.lifecycle:compare",
    "Comparison": "groundup.lifecycle.comparison:Comparison",
    "evaluate": "groundup.lifecycle:evaluate",
    "Finding": "groundup.core.findings:Finding",
    "fit": "groundup.training.fit:fit",
    "GradientOptions": "groundup.training.gradient_options:GradientOptions",
    "GroundupError": "groundup.core.errors:GroundupError",
    "init": "groundup.lifecycle:init",
    "load": "groundup.serving.package:load_model",
    "load_writer": "groundup.serving.writer:load_writer",
    "Model": "groundup.serving.model:Model",
    "Recipe": "groundup.recipe:Recipe",
    "reproduce": "groundup.lifecycle:reproduce",
    "resume": "groundup.lifecycle:resume",
    "Run": "groundup.lifecycle.run:Run",
    "show_progress": "groundup.cli.progress:show_progress",
    "train": "groundup.lifecycle:train",
    "Writer": "groundup.serving.writer:Writer",
}
"""Public name → `module:name`; loaded on first use, so that `import groundup` stays light."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module `groundup` has no attribute `{name}`")
    module, attribute = _HOMES[name].split(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
