"""Steps 4 to 6 of a language model: random weights, loss and optimizer, the training itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray
from groundup.core.wording import count, number
from groundup.lifecycle.session import Session
from groundup.models.writers import TransformerWriter
from groundup.preparation.vocabulary import SPECIAL, Vocabulary
from groundup.training.threads import resolve_network_threads

if TYPE_CHECKING:
    from torch import nn

    from groundup.training.cost import Cost
    from groundup.training.loop import GradientResult
    from groundup.training.plan import Plan

NAME: Final = "transformer"
KEPT_AS: Final = f"{NAME}-final"
_SAMPLE_TOKENS: Final = 160
_STEERING_TOKENS: Final = 32_768


@dataclass(frozen=True)
class WrittenFit:
    """A network that has learned to write.

    Parameters
    ----------
    writer : TransformerWriter
        Without `auto`.
    arguments : dict
        What the network was built with.
    module : Module
        The weights that are kept.
    plan : Plan
        How it was trained.
    cost : Cost
        What it costs.
    result : GradientResult
        How it went.
    threads : int
        It was trained with.
    threads_reason : str
        Why so many.
    seconds : float
        The training took.
    sample : str
        What it writes now.
    """

    writer: TransformerWriter
    arguments: dict[str, Any]
    module: "nn.Module"
    plan: "Plan"
    cost: "Cost"
    result: "GradientResult"
    threads: int
    threads_reason: str
    seconds: float
    sample: str

    def losses(self, before: NDArray[np.int32], tokens: NDArray[np.int32]) -> FloatArray:
        """Return the surprise at each token of a part that follows `before`, in nats."""
        import torch

        from groundup.training.blocks import token_losses, windows
        from groundup.training.loop import alone

        hardware = self.plan.hardware
        parts = torch.from_numpy(before), torch.from_numpy(tokens)
        batches = windows(*parts, self.writer.block_size).on(hardware.device)
        with alone(self.plan):
            return token_losses(self.module, batches, hardware.computing())

    @property
    def samples(self) -> list[tuple[int, str]]:
        """What it wrote: the step, and the text; last with the weights that are kept."""
        looks = [(int(step), str(texts[0])) for step, texts in self.result.samples]
        if len(looks) > 1 and looks[-1][0] == self.result.best_step:  # these are the weights that are kept
            looks.pop()
        return [*looks, (self.result.best_step, self.sample)]


class WriterFit:
    """The training of one network on one text; its methods are steps 4, 5 and 6.

    Parameters
    ----------
    session : Session
        The run.
    writer : TransformerWriter
        Without `auto`.
    vocabulary : Vocabulary
        What tokens are.
    train, validation : ndarray of shape (n_tokens,)
        Token numbers.
    """

    def __init__(
        self,
        session: Session,
        writer: TransformerWriter,
        vocabulary: Vocabulary,
        train: NDArray[np.int32],
        validation: NDArray[np.int32],
    ) -> None:
        self.session, self.writer, self.vocabulary = session, writer, vocabulary
        self.train_tokens, self.validation_tokens = train, validation
        self.arguments = writer.arguments(vocabulary.size)
        self.seed = session.seed("fit", NAME, "final")

    def initialise(self) -> None:
        """Step 4: draw random weights, and fix what the training is done with."""
        from groundup.models.networks.architectures import build
        from groundup.training.parameters import count_parameters

        session, options = self.session, self.session.recipe.training
        with session.step(4, "Initialise") as step:
            self.module = build(self.writer.architecture, self.arguments, seed=self.seed)
            self.n_weights = count_parameters(self.module)[0]
            self.threads, self.threads_reason = resolve_network_threads(options.threads, self.n_weights)
            session.reasons["training.threads"] = self.threads_reason
            # From here on `resume` uses the same number, however busy the machine is then.
            session.recipe = session.recipe.with_values({"training.threads": self.threads})
            session.write_recipe()
            step.say(f"{count(self.n_weights, 'weight')}, drawn at random from seed {options.seed}.")
            step.say(self.threads_reason)

    def choose_loss(self) -> None:
        """Step 5: say what is made small, how, for how long, and what that costs."""
        import torch

        from groundup.models.networks.initialisation import initialise
        from groundup.training.blocks import TextBlocks, windows
        from groundup.training.cost import checked_cost
        from groundup.training.losses import make_loss
        from groundup.training.plan import fill_in, make_plan
        from groundup.training.range_test import with_learning_rate

        asked, context = self.session.recipe.training, self.writer.block_size
        train = torch.from_numpy(self.train_tokens)
        n_blocks = TextBlocks(train, context, 1, self.seed).n_samples
        defaults = self.writer.training_defaults(n_blocks, asked.batch_size)
        with self.session.step(5, "Choose loss and optimizer") as step:
            options, reasons = fill_in(asked, defaults)
            if asked.epochs == "auto" and asked.steps is None:
                reasons["epochs"] = "about a thousand updates, in 1 to 100 passes over the text"
            if int(options.batch_size) > n_blocks:
                raise TrainingError(
                    f"`training.batch_size` is `{options.batch_size}`, and the training text has "
                    f"{count(n_blocks, 'block')} of {context} tokens. Set it to {n_blocks} or less."
                )
            initialise(self.module, str(options.initialisation), seed=self.seed)
            batches = TextBlocks(train, context, int(options.batch_size), self.seed)
            self.batches, self.loss = batches, make_loss("cross_entropy", options)
            plan = make_plan(
                options,
                self.module,
                batches.n_batches,
                early_stopping=asked.early_stopping,
                default_patience=defaults["patience"],
                reasons=reasons,
                seed=self.seed,
                threads=self.threads,
            )
            self.cost = checked_cost(self.module, batches, self.loss, plan)
            self.plan = with_learning_rate(plan, self.module, batches, self.loss)
            self.steering = windows(
                train, torch.from_numpy(self.validation_tokens), context, most=_STEERING_TOKENS
            )
            step.say("Loss: cross-entropy, the surprise at the true next token.")
            for sentence in self._told():
                step.say(sentence)

    def _told(self) -> list[str]:
        options, plan, cost = self.plan.options, self.plan, self.cost
        size = int(options.batch_size)
        n_tokens = plan.n_steps * size * self.writer.block_size
        share = n_tokens / len(self.train_tokens)
        memory = cost.memory_bytes(size // options.accumulate)
        every = f"every {count(plan.evaluate_every)} steps"
        stopping = (
            f", ends training after {count(plan.patience)} looks without a lower loss"
            if plan.patience
            else ""
        )
        return [
            f"`{plan.optimizer}`, learning rate {number(plan.learning_rate)} ({options.schedule}), in "
            f"{plan.hardware.precision} on {plan.hardware.device.type}.",
            f"{count(plan.n_steps, 'step')} of {count(size, 'block')} of {count(self.writer.block_size)} "
            f"tokens: {count(n_tokens)} in all, {number(share, 2)} times the training text.",
            f"It will take about {number(memory / 1e6, 2)} MB of memory and "
            f"{number(plan.n_steps * size * cost.row_flops, 2)} floating-point operations.",
            f"A look at the validation part {every} keeps the best weights{stopping}.",
        ]

    def train(self) -> WrittenFit:
        """Step 6: show, guess, score, learn, repeat."""
        from groundup.training.loop import GradientFit, Watch

        session, events = self.session, self.session.events
        about = {"learner": NAME, "fold": None, "n_folds": 1, "n_repeats": 1, "outer": None}

        def emit(kind: str, **data: Any) -> None:
            events.emit(kind, learner=NAME, fold=None, **data)

        with session.step(6, "Train") as step:
            events.emit("plan", n_fits=1, learners=[NAME])
            events.emit("fit_started", **about)
            start = time.monotonic()
            watch = Watch(emit, lambda: events.should_stop, session.keeper(KEPT_AS), self._show())
            result = GradientFit(
                self.module, self.batches, self.loss, self.plan, validation=self.steering, watch=watch
            ).run()
            seconds = time.monotonic() - start
            best = dict(result.curve["validation"])[result.best_step] if result.curve else None
            events.emit("fit_finished", **about, seconds=seconds, restored=False, score=best)
            sample = self._show()(self.module)[0]
            step.say(_how_it_ended(result, best))
        return WrittenFit(
            self.writer,
            self.arguments,
            self.module,
            self.plan,
            self.cost,
            result,
            self.threads,
            self.threads_reason,
            seconds,
            sample,
        )

    def _show(self) -> "Callable[[nn.Module], list[str]]":
        """Return what lets the network write a few lines, the same chance deciding each time."""
        import torch

        from groundup.models.networks.decoder import Decoder, Drawing, generate

        start = self.vocabulary.encode(["\n"])[0]
        if start == self.vocabulary.encode(["\0"])[0]:  # a text of one line
            start = [int(self.train_tokens[0])]
        seed = self.session.seed("sample")

        def write(module: "nn.Module") -> list[str]:
            assert isinstance(module, Decoder)
            device = next(module.parameters()).device
            tokens: torch.Tensor = generate(
                module,
                torch.tensor([start], device=device),
                _SAMPLE_TOKENS,
                Drawing(temperature=0.8, first_token=len(SPECIAL)),
                random=torch.Generator(device).manual_seed(seed),
            )
            return [self.vocabulary.decode(tokens[0, len(start) :].tolist())]

        return write


def _how_it_ended(result: "GradientResult", best: float | None) -> str:
    why = {
        "limit": "",
        "patience": "; the validation loss no longer fell",
        "request": "; you asked to stop",
        "diverged": "; the loss then was no longer a number",
    }[result.stopped]
    kept = f" The weights of step {count(result.best_step)} are kept"
    loss = "" if best is None else f", with a validation loss of {number(best)}"
    return f"{count(result.n_steps, 'step')} made{why}.{kept}{loss}."
