"""The eight steps of a language model: from a text to a packaged model that writes on.

The steps, the session, the seeds, the checkpoints and the loop are those of tables; what differs is that the
data are one text, cut into parts that follow each other, and that one network is trained, as nothing is
compared by cross-validation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import DataError, RecipeError
from groundup.core.files import write_json
from groundup.core.inputs import FloatArray, IntArray
from groundup.core.wording import count, listed, number
from groundup.data.plain_text import PlainText, TextParts, cut_text, read_plain_text
from groundup.evaluation.intervals import BootstrapOptions, Interval
from groundup.evaluation.language import DECIDING, language_scores
from groundup.evaluation.ngrams import NGrams
from groundup.lifecycle.session import Session, Step
from groundup.lifecycle.writing_fit import WriterFit, WrittenFit
from groundup.models.networks.architectures import require_torch
from groundup.models.writers import TransformerWriter
from groundup.preparation.vocabulary import UNKNOWN, BytePairs, Characters, Vocabulary
from groundup.recipe import Recipe

CHARACTERS_BELOW: Final = 10_000_000
"""Characters of training text from which on byte pairs are the default."""
_FEWEST_TOKENS: Final = 32  # of the validation and of the test part
_SHARES: Final[Mapping[str, float]] = {"data.split.test": 0.05, "data.split.validation": 0.05}
_NAMES: Final = ("bigram", "unigram")


@dataclass(frozen=True)
class Texts:
    """The text as the network sees it.

    Parameters
    ----------
    source : PlainText
        What was read.
    parts : TextParts
        Its parts.
    vocabulary : Vocabulary
        Learned from the training part.
    train, validation : ndarray of shape (n_tokens,)
        Token numbers.
    """

    source: PlainText
    parts: TextParts
    vocabulary: Vocabulary
    train: NDArray[np.int32]
    validation: NDArray[np.int32]

    def test(self) -> NDArray[np.int32]:
        """Return the token numbers of the test part."""
        return encode(self.vocabulary, self.parts.test)

    @property
    def unit(self) -> str:
        """What a token is, in the singular."""
        return "character" if isinstance(self.vocabulary, Characters) else "token"


@dataclass(frozen=True)
class Scores:
    """How well the parts are predicted.

    Parameters
    ----------
    validation, test : dict of str to Interval
        By metric.
    baselines : dict of str to dict of str to Interval
        By model that counts, on the test part.
    n_unknown : int
        Characters of the two parts that training never saw.
    """

    validation: dict[str, Interval]
    test: dict[str, Interval]
    baselines: dict[str, dict[str, Interval]]
    n_unknown: int


def writing_defaults(recipe: Recipe) -> dict[str, Any]:
    """Return what the task `generation` sets where nothing is asked for, by dotted path."""
    asked = recipe.asked().get("data", {}).get("split", {})
    return {path: share for path, share in _SHARES.items() if path.rpartition(".")[2] not in asked}


def define_writing(session: Session) -> PlainText:
    """Step 1: what is asked of which text, and by which number it is judged."""
    with session.step(1, "Define the problem") as step:
        _refuse_table_options(session.recipe)
        require_torch("Learning to write")
        source = read_plain_text(session.recipe.data.source or "")
        session.data_fingerprint = source.fingerprint
        session.reasons |= {
            "problem.task": "a text is learned from and written on",
            "problem.metric": "compares models with different tokens",
        }
        step.say("Generation: to predict each next token of a text from those before it, and so to write.")
        step.say("Metric: bits per byte, the size of the text if it were stored with the model's help.")
        step.say("To beat: how often each token followed the one before it.")
    return source


def collect_writing(session: Session, source: PlainText) -> Texts:
    """Step 2: cut the text into parts, and learn a vocabulary from the first."""
    split = session.recipe.data.split
    with session.step(2, "Collect and prepare data") as step:
        parts = cut_text(source.text, validation=split.validation, test=split.test)
        vocabulary = _learn_vocabulary(session, parts.train)
        train, validation = encode(vocabulary, parts.train), encode(vocabulary, parts.validation)
        texts = Texts(source, parts, vocabulary, train, validation)
        sizes = [len(part) for part in (parts.train, parts.validation, parts.test)]
        session.reasons["data.split.method"] = "the parts follow each other: what comes last is tested"
        step.say(f"{count(len(source.text), 'character')}, in order: {count(sizes[0])} to learn from,")
        step.say(f"{count(sizes[1])} to steer training, {count(sizes[2])} for the test, which stays sealed.")
        step.say(
            f"A token is {_token_words(texts)}; the vocabulary of {count(vocabulary.size)}, with 4 that "
            "stand for no text, was learned from the training part alone."
        )
        _check_length(texts, split.validation)
        facts = {
            "fingerprint": source.fingerprint,
            "n_characters": len(source.text),
            "n_tokens": {"train": len(train), "validation": len(validation)},
            "vocabulary": vocabulary.size,
        }
        write_json(session.folder.data, facts)
    return texts


def design_writing(session: Session, texts: Texts) -> TransformerWriter:
    """Step 3: which network, how large."""
    with session.step(3, "Design the model") as step:
        asked = session.recipe.writer()
        writer, reasons = asked.resolved(len(texts.train))
        session.reasons |= {f"model.{name}": why for name, why in reasons.items()}
        if session.recipe.model.name == "auto":
            session.reasons["model.name"] = "the learner that writes"
        if len(texts.train) < 2 * writer.block_size:
            raise RecipeError(
                f"`model.context` is `{writer.block_size}`, and the training part has "
                f"{count(len(texts.train))} tokens. Set it to {len(texts.train) // 16} "
                "or less, or take a longer text."
            )
        step.say(
            f"`transformer`, size `{writer.size}` ({reasons['size']}): {writer.depth} layers of width "
            f"{writer.width} with {writer.n_heads} heads, {writer.block_size} tokens of context."
        )
        step.say("Beside it two that count: how often each token occurs, and how often after which.")
    return writer


def evaluate_writing(session: Session, texts: Texts, fit: WrittenFit) -> Scores:
    """Step 7: measure the network and what only counts; the test part is opened once."""
    with session.step(7, "Evaluate") as step:
        sizes = np.array(texts.vocabulary.sizes(), dtype=np.int64)
        evaluation = session.recipe.evaluation
        options = BootstrapOptions(
            confidence=evaluation.confidence,
            resamples=evaluation.resamples,
            seed=session.seed("bootstrap"),
        )

        def scores(losses: FloatArray, tokens: IntArray) -> dict[str, Interval]:
            return language_scores(losses, sizes[tokens], options)

        known = scores(fit.losses(texts.train, texts.validation), texts.validation.astype(np.int64))
        session.folder.update_summary(test_opened=session.folder.read_summary().test_opened + 1)
        tokens = texts.test().astype(np.int64)
        before = np.concatenate([texts.train, texts.validation])
        measured = scores(fit.losses(before, texts.test()), tokens)
        counted = NGrams(texts.train.astype(np.int64), texts.vocabulary.size)
        baselines = {
            name: scores(losses, tokens)
            for name, losses in counted.losses(int(before[-1]), tokens).items()
            if name in _NAMES
        }
        for part, found in (("validation", known), ("test", measured)):
            for name, interval in found.items():
                session.events.emit("metric", part=part, name=name, **_ends(interval))
        n_unknown = sum(int((part == UNKNOWN).sum()) for part in (texts.validation, tokens))
        _tell_scores(step, texts, measured, baselines, n_unknown)
    return Scores(known, measured, baselines, n_unknown)


def _tell_scores(
    step: Step,
    texts: Texts,
    measured: Mapping[str, Interval],
    baselines: Mapping[str, Mapping[str, Interval]],
    n_unknown: int,
) -> None:
    bits, loss = measured[DECIDING], measured["cross_entropy"]
    step.say(
        f"The test part ({count(len(texts.parts.test), 'character')}) was opened once: "
        f"{_told(bits)} bits per byte, {_told(loss)} nats per {texts.unit}."
    )
    beaten = ", ".join(f"{name}s {_told(baselines[name][DECIDING])}" for name in baselines)
    step.say(f"What only counts: {beaten} bits per byte.")
    if n_unknown:
        step.say(
            f"{count(n_unknown, 'character')} of the validation and test parts never occurred in training "
            "and could not be predicted."
        )


def encode(vocabulary: Vocabulary, text: str) -> NDArray[np.int32]:
    """Return the token numbers of a text."""
    return np.array(vocabulary.encode([text])[0], dtype=np.int32)


def _learn_vocabulary(session: Session, text: str) -> Vocabulary:
    options = session.recipe.preparation.tokens
    kind, why = str(options.kind), "as asked"
    if kind == "auto":
        is_small = len(text) < CHARACTERS_BELOW
        kind = "characters" if is_small else "byte_pairs"
        size = f"{count(len(text))} characters"
        why = (
            f"{size} are too few to learn what many different tokens mean"
            if is_small
            else f"{size} are enough to learn longer tokens, which say more at once"
        )
    session.reasons["preparation.tokens.kind"] = why
    if kind == "characters":
        return Characters.learn([text], options.vocabulary)
    pieces = text.splitlines(keepends=True)
    return BytePairs.learn(pieces, options.vocabulary, is_lowercased=options.lowercase)


def _token_words(texts: Texts) -> str:
    if isinstance(texts.vocabulary, Characters):
        return "a character"
    per_token = len(texts.parts.train) / len(texts.train)
    return f"a frequent run of bytes, {number(per_token, 2)} characters on average"


def _check_length(texts: Texts, share: float) -> None:
    for name, tokens in (("validation", texts.validation), ("test", texts.parts.test)):
        if len(tokens) < _FEWEST_TOKENS:
            path = f"data.split.{name}"
            raise DataError(
                f"The {name} part has `{len(tokens)}` tokens, too few to say anything. Raise `{path}` "
                f"(`{share if name == 'validation' else 'its share'}`), or take a longer text."
            )


def _refuse_table_options(recipe: Recipe) -> None:
    """Refuse what is asked for and means nothing for a text, rather than leave it aside."""
    split, training = recipe.data.split, recipe.training
    strange = {
        "problem.target": recipe.problem.target is not None,
        "problem.metric": recipe.problem.metric not in ("auto", DECIDING),
        "problem.positive": recipe.problem.positive is not None,
        "problem.quantile": recipe.problem.quantile is not None,
        "data.split.method": split.method != "auto",
        "training.class_weight": training.class_weight != "none",
        "training.sample_weight": training.sample_weight is not None,
        "training.resample": training.resample != "none",
        "training.calibrate": training.calibrate != "none",
        "training.loss": training.loss not in ("auto", "cross_entropy"),
        "evaluation.nested": recipe.evaluation.nested,
    }
    if named := [path for path, is_asked in strange.items() if is_asked]:
        raise RecipeError(
            f"{listed(named)} {'is' if len(named) == 1 else 'are'} about tables, and the task is "
            "`generation`. Remove what does not belong, or choose another task."
        )


def _told(interval: Interval) -> str:
    if interval.value is None or interval.low is None or interval.high is None:
        return "undefined" if interval.value is None else number(interval.value)
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _ends(interval: Interval) -> dict[str, float | None]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def learn_to_write(session: Session) -> None:
    """Take a session from a text to a packaged model that writes."""
    from groundup.lifecycle.writing_report import deploy_writing

    source = define_writing(session)
    texts = collect_writing(session, source)
    writer = design_writing(session, texts)
    fit = WriterFit(session, writer, texts.vocabulary, texts.train, texts.validation)
    fit.initialise()
    fit.choose_loss()
    written = fit.train()
    scores = evaluate_writing(session, texts, written)
    deploy_writing(session, texts, written, scores)
