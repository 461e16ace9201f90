"""The model that writes: a vocabulary and a network, which continue a text token by token.

Its package holds ``vocabulary.json`` in place of a table's preparation; manifest, digests and weights are
those of every package (see `groundup.serving.package`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundup.core.errors import PackageError, PredictionInputError
from groundup.core.files import sha256_of, whole_folder, write_json
from groundup.core.schema import Schema
from groundup.core.tasks import GENERATION
from groundup.core.wording import listed
from groundup.serving.manifest import Manifest
from groundup.serving.package import WEIGHTS, check_package, finish_package, list_files, model_folder

if TYPE_CHECKING:
    from groundup.models.network_fitted import FittedNetwork
    from groundup.preparation.vocabulary import Vocabulary

VOCABULARY: Final = "vocabulary.json"
_FITTED: Final = "groundup.models.network_fitted:FittedNetwork"
_MOST_BYTES_OF_A_CHARACTER: Final = 4


@dataclass(frozen=True)
class WriterContents:
    """What goes into the package of a model that writes.

    Parameters
    ----------
    vocabulary : Vocabulary
        What its tokens are.
    fitted : FittedNetwork
        The network.
    learner : str
        The learner's name.
    card : mapping
        JSON values for readers; no part of the model's identity.
    """

    vocabulary: "Vocabulary"
    fitted: "FittedNetwork"
    learner: str
    card: Mapping[str, Any] = field(default_factory=dict)


def write_writer(folder: Path, contents: WriterContents) -> str:
    """Write a model that writes into a folder that appears whole or not at all; return its digest.

    Raises
    ------
    StorageError
        If the folder cannot be written; nothing is left behind then.
    """
    with whole_folder(folder) as temporary:
        digests = {VOCABULARY: write_json(temporary / VOCABULARY, contents.vocabulary.state())}
        weights = temporary / WEIGHTS
        weights.mkdir()
        contents.fitted.save(weights)
        digests |= {f"{WEIGHTS}/{name}": sha256_of(weights / name) for name in list_files(weights)}
        manifest = Manifest(
            task=GENERATION,
            target="text",
            classes=(),
            positive=None,
            schema=Schema(()),
            learner=contents.learner,
            fitted=_FITTED,
            deployment={},
            digests=digests,
            card=contents.card,
        )
        return finish_package(temporary, manifest)


class Writer:
    """A trained model that continues a text.

    Parameters
    ----------
    manifest : Manifest
        What its package says about itself.
    vocabulary : Vocabulary
        What its tokens are.
    fitted : FittedNetwork
        A decoder.

    Attributes
    ----------
    digest : str
        Its identity: equal models have equal digests.
    """

    def __init__(self, manifest: Manifest, vocabulary: "Vocabulary", fitted: "FittedNetwork") -> None:
        self.manifest, self.digest = manifest, manifest.digest
        self._vocabulary, self._fitted = vocabulary, fitted

    def generate(
        self,
        prompt: str = "\n",
        *,
        n_tokens: int = 400,
        temperature: float = 0.8,
        top_k: int | None = None,
        seed: int = 0,
    ) -> Iterator[str]:
        r"""Yield what follows a prompt, piece by piece as it is written.

        Parameters
        ----------
        prompt : str, default="\n"
            What has been written, at least one character.
        n_tokens : int, default=400
            Tokens to write, at least 0.
        temperature : float, default=0.8
            0 takes the likeliest token each time; below 1 likelier ones more often, above 1 less.
        top_k : int, optional
            Draw among this many likeliest tokens, at least 1.
        seed : int, default=0
            The same seed writes the same text.

        Raises
        ------
        PredictionInputError
            If the prompt is empty or holds characters that training never saw, or a number is out of range.
        """
        for name, value, least in (
            ("n_tokens", n_tokens, 0),
            ("temperature", temperature, 0),
            ("top_k", top_k, 1),
        ):
            if value is not None and not value >= least:
                raise PredictionInputError(f"`{name}` is `{value}`; it should be at least {least}.")
        return self._written(self._start(prompt), n_tokens, temperature, top_k, seed)

    def _start(self, prompt: str) -> list[int]:
        from groundup.preparation.vocabulary import UNKNOWN

        if not prompt:
            raise PredictionInputError("The prompt is empty. Write at least one character to go on from.")
        tokens = self._vocabulary.encode([prompt])[0]
        if UNKNOWN in tokens:
            strange = dict.fromkeys(
                each for each, token in zip(prompt, tokens, strict=True) if token == UNKNOWN
            )
            raise PredictionInputError(
                f"The prompt holds {listed(map(_readable, strange))}, which the training text never did, so "
                "that the model cannot go on from it. Leave that out, or train with "
                "preparation.tokens.kind=byte_pairs, which knows every text."
            )
        return tokens

    def _written(
        self, start: list[int], n_tokens: int, temperature: float, top_k: int | None, seed: int
    ) -> Iterator[str]:
        import torch

        from groundup.models.network_fitted import few_threads
        from groundup.models.networks.decoder import Decoder, Drawing, stream
        from groundup.preparation.vocabulary import SPECIAL

        decoder = self._fitted.module
        assert isinstance(decoder, Decoder)
        pending: list[int] = []
        tokens = stream(
            decoder,
            torch.tensor([start]),
            n_tokens,
            Drawing(temperature, top_k, first_token=len(SPECIAL)),
            random=torch.Generator().manual_seed(seed),
        )
        with few_threads(len(start) * self._fitted.n_parameters):
            for token in tokens:
                pending.append(int(token))
                text = self._vocabulary.decode(pending)
                # A character may be spread over several tokens: wait for the rest of it.
                if not text.endswith("\ufffd") or len(pending) >= _MOST_BYTES_OF_A_CHARACTER:
                    yield text
                    pending = []
        if pending:
            yield self._vocabulary.decode(pending)


def load_writer(path: str | Path) -> Writer:
    """Load the model of a run that learned to write, or a package of one that stands alone.

    Parameters
    ----------
    path : str or Path
        A run's folder, or a model folder.

    Raises
    ------
    PackageError
        If there is no model, it does not write, or a file is damaged, missing or added.
    """
    from groundup.models.catalogue import load_fitted
    from groundup.models.networks.architectures import require_torch
    from groundup.preparation.vocabulary import vocabulary_from_state

    folder = model_folder(Path(path))
    manifest = check_package(folder)
    if manifest.task != GENERATION:
        raise PackageError(
            f"The model `{folder}` predicts `{manifest.target}` and does not write. Use: groundup predict"
        )
    require_torch("Writing")
    try:
        vocabulary = vocabulary_from_state(json.loads((folder / VOCABULARY).read_bytes()))
        fitted: Any = load_fitted(manifest.fitted, folder / WEIGHTS)
        if fitted.architecture != "decoder" or fitted.arguments["n_tokens"] != vocabulary.size:
            raise ValueError("the network does not read the tokens of the vocabulary")
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise PackageError(
            f"The files of the model `{folder}` do not fit together: {type(error).__name__}: {error}. They "
            "were written by another program, or by another version of groundup. Train it again."
        ) from error
    return Writer(manifest, vocabulary, fitted)


def _readable(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"
