"""How well and how fast a `cnn` with the default recipe learns MNIST, seed by seed.

For each seed: accuracy on the 10 000 test digits of a `cnn` fitted to 48 000 of the 60 000 others (the rest
steers), by the learner's defaults but for the number of epochs, and CPU seconds of that one fit on one
thread, the decoding of the pictures and the looks at the validation part included.

    python benchmarks/mnist.py FOLDER --epochs 1 --seeds 3

FOLDER holds the four IDX files.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np

from groundup.core.inputs import Needs
from groundup.data.options import DataOptions, SplitOptions
from groundup.data.sources import read
from groundup.data.split import make_split
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext
from groundup.preparation.forms import make_preparation
from groundup.preparation.options import PreparationOptions
from groundup.preparation.target import TargetPlan
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop
from groundup.training.rounds import run_rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", default="auto")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="cnn")
    asked = parser.parse_args()
    epochs = asked.epochs if asked.epochs == "auto" else int(asked.epochs)
    dataset = read(DataOptions(source=str(asked.folder)))
    target = TargetPlan("classification", tuple(str(digit) for digit in range(10)))
    results = []
    for seed in range(asked.seeds):
        split = make_split(
            dataset, target="label", task="classification", options=SplitOptions(column="part"), seed=seed
        )
        start = time.process_time()
        preparation = make_preparation(PreparationOptions(), "images")
        train = dataset.take(split.train)
        inputs, _ = preparation.fit_transform(train.select(["image"]), Needs(form="images"))
        validation, test = (dataset.take(rows).frame() for rows in (split.validation, split.test))
        fitted = make_learner(asked.model).fit(
            inputs.with_target(target.encode(train.frame(["label"]).to_series())),
            preparation.transform(validation).with_target(target.encode(validation["label"])),
            context(GradientOptions(epochs=epochs, device="cpu"), seed),
        )
        seconds = time.process_time() - start
        said = fitted.predict(preparation.transform(test)).values
        accuracy = float(np.mean(said == target.encode(test["label"])))
        results.append((accuracy, seconds))
        print(f"seed {seed}: accuracy {accuracy:.4f}, {seconds:.1f} CPU seconds", flush=True)
    accuracies, times = np.array(results).T
    print(f"mean: accuracy {accuracies.mean():.4f}, {times.mean():.1f} CPU seconds")


def context(options: GradientOptions, seed: int) -> FitContext:
    """Return what a fit on one thread receives, with early stopping off."""
    rounds = partial(run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False)
    return FitContext(
        task="classification",
        n_classes=10,
        seed=seed,
        threads=1,
        run_rounds=rounds,
        should_stop=lambda: False,
        train_network=network_loop(options=options, early_stopping=None, threads=1),
    )


if __name__ == "__main__":
    main()
