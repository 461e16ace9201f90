"""Steps 3 to 5: which learners, from which start, towards which goal."""

from collections.abc import Iterator
from dataclasses import dataclass

from groundup.core.inputs import Inputs
from groundup.core.losses import Loss
from groundup.core.wording import count, number
from groundup.lifecycle.collect import Collected
from groundup.lifecycle.define import BASELINE, Framed
from groundup.lifecycle.session import Session
from groundup.lifecycle.stage_cost import tell_stages
from groundup.models.network_learner import NetworkLearner
from groundup.preparation.contract import Preparation
from groundup.training.options import EarlyStopping
from groundup.training.rounds import patience_of
from groundup.training.threads import resolve_threads


@dataclass(frozen=True)
class Plan:
    """What every fit of the run is told.

    Parameters
    ----------
    threads : int
        Threads per fit, resolved once and recorded.
    threads_reason : str
        Why so many.
    """

    threads: int
    threads_reason: str


def design(session: Session, framed: Framed, collected: Collected) -> None:
    """Say which learners are compared, and what each makes of the columns."""
    with session.step(3, "Design the model") as step:
        prepared: dict[str, Preparation] = {}
        for name, learner in framed.learners.items():
            if name == BASELINE:
                continue
            found = collected.prepared(learner.needs())
            prepared[name] = found.preparation
            step.say(f"`{name}`: {learner.title} on {_inputs_of(found.train)}.")
        for told in tell_stages(prepared, collected.validation):
            step.say(told)
        step.say(f"`{BASELINE}`: the same answer for every row, to show what guessing is worth.")


def initialise(session: Session, collected: Collected) -> Plan:
    """Fix where every fit starts: the seed, the threads, the starting point."""
    options = session.recipe.training
    with session.step(4, "Initialise") as step:
        n_cells = collected.train.n_rows * len(collected.features)
        threads, reason = resolve_threads(options.threads, n_cells)
        session.reasons["training.threads"] = reason
        # From here on `resume` uses the same number, however busy the machine is then.
        session.recipe = session.recipe.with_values({"training.threads": threads})
        session.write_recipe()
        step.say(f"Seed {options.seed} decides every random choice; no model is pre-trained.")
        step.say(reason)
    return Plan(threads, reason)


def choose_loss(session: Session, framed: Framed) -> None:
    """Say what training makes small, how, and when it stops."""
    with session.step(5, "Choose loss and optimizer") as step:
        step.say(" ".join([_told(framed.loss), *framed.weighing.told()]))
        for name, learner in framed.learners.items():
            if name == BASELINE:
                continue
            step.say(f"`{name}`: {learner.optimizer}")
            if (own := learner.minimised(framed.loss)) != framed.loss:
                step.say(f"That is for the {own.title}: it cannot make the {framed.loss.title} small.")
        stopping = session.recipe.training.early_stopping
        if stopping is not None and any(learner.in_rounds for learner in framed.learners.values()):
            for told in _patience(stopping, framed):
                step.say(told)


def _patience(stopping: EarlyStopping, framed: Framed) -> Iterator[str]:
    """Yield when training ends early: boosting by rounds, networks by looks at the validation part."""
    networks = {
        name: learner for name, learner in framed.learners.items() if isinstance(learner, NetworkLearner)
    }
    if any(learner.in_rounds for name, learner in framed.learners.items() if name not in networks):
        yield f"{count(patience_of(stopping), 'round')} without a lower validation loss end it."
    for name, learner in networks.items():
        asked = stopping.patience_rounds
        n_looks = learner.patience if asked == "auto" else asked
        yield f"`{name}`: {count(n_looks, 'look')} at the validation loss without a lower one end it."


def _inputs_of(inputs: Inputs) -> str:
    if "tokens" in inputs.arrays:
        return f"{count(inputs.arrays['tokens'].shape[1], 'token')} of text"
    if "images" in inputs.arrays:
        height, width, n_channels = inputs.arrays["images"].shape[1:]
        return f"pictures of {height} × {width} pixels, {count(n_channels, 'channel')}"
    return count(inputs.X.shape[1], "input")


def _told(loss: Loss) -> str:
    """Return what a loss is, as a sentence."""
    if loss.name == "log_loss":
        return "Loss: log loss, the surprise at the true class."
    if loss.name == "squared_error":
        return "Loss: squared error; a miss twice as large counts four times, so means are predicted."
    if loss.name == "absolute_error":
        return "Loss: absolute error; a miss twice as large counts twice, so medians are predicted."
    low, high = number(loss.quantile, 6), number(1 - loss.quantile, 6)
    return (
        f"Loss: pinball loss, {low} of a miss that is too low and {high} of one too high, so "
        f"{100 * loss.quantile:g} % quantiles are predicted."
    )
