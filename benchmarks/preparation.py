"""Preparation: against scikit-learn's ColumnTransformer, one row, and millions of rows in bounded memory.

Run ``python benchmarks/preparation.py`` (``--rows 0`` leaves out the large file, ``--only fit|row|large``).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, cpu_seconds, readable, show  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np
import polars as pl

from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.options import PreparationOptions
from groundup.preparation.row import row_encoder
from groundup.preparation.table import TablePreparation

N_LEVELS = (4, 7, 9, 16)
LINEAR = Needs(scaled=True)
OPTIONS = PreparationOptions(dates="parts", rare_below=1)
SCHEMA = Schema(
    [
        *(Column(f"number {i}", "number", "float") for i in range(6)),
        *(Column(f"category {i}", "category", "string") for i in range(4)),
        Column("boolean", "boolean", "boolean"),
        Column("date", "datetime", "datetime"),
    ]
)


def mixed_frame(n_rows: int, seed: int = 0) -> pl.DataFrame:
    """6 numbers (10 % missing), 4 categories of 4 to 16 levels (5 % missing), 1 boolean, 1 date."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for i in range(6):
        values = random.normal(loc=10 * i, scale=1 + i, size=n_rows)
        values[random.random(n_rows) < 0.1] = np.nan
        columns[f"number {i}"] = pl.Series(values, nan_to_null=True)
    for i, n_levels in enumerate(N_LEVELS):
        levels = pl.Series([f"level {j} of {i}" for j in range(n_levels)] + [None], dtype=pl.String)
        weights = np.append(np.full(n_levels, 0.95 / n_levels), 0.05)
        columns[f"category {i}"] = levels.gather(random.choice(n_levels + 1, size=n_rows, p=weights))
    columns["boolean"] = random.random(n_rows) < 0.3
    days = random.integers(0, 3 * 365, n_rows)
    columns["date"] = (np.datetime64("2021-01-01", "us") + days.astype("timedelta64[D]")).astype(
        "datetime64[us]"
    )
    return pl.DataFrame(columns)


def sklearn_side(frame: pl.DataFrame, *, as_objects: bool) -> Any:
    """Return a call that fits and transforms the same columns of a pandas frame to the same width.

    Categories are Python objects, or pandas' own text type, which is what `pandas.read_csv` gives and
    which scikit-learn is slower with.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers = [name for name in frame.columns if name.startswith("number")]
    categories = [name for name in frame.columns if name.startswith("category")]
    table = frame.to_pandas()
    if as_objects:
        table[categories] = table[categories].astype(object).where(table[categories].notna(), None)

    def parts(dates: Any) -> Any:
        date = dates["date"].dt
        days = (dates["date"] - dates["date"].min()).dt.total_seconds() / 86_400
        return np.column_stack([date.year, date.month, date.day, date.day_of_week, days]).astype(float)

    def fit_transform() -> Any:
        # Indicators are not scaled, here as there.
        scale = ColumnTransformer([("scale", StandardScaler(), slice(0, 6))], remainder="passthrough")
        transformer = ColumnTransformer(
            [
                (
                    "numbers",
                    make_pipeline(SimpleImputer(strategy="median", add_indicator=True), scale),
                    numbers,
                ),
                ("categories", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), categories),
                ("boolean", FunctionTransformer(lambda x: x.to_numpy(dtype=float)), ["boolean"]),
                ("date", make_pipeline(FunctionTransformer(parts), StandardScaler()), ["date"]),
            ]
        )
        return transformer.fit_transform(table)

    return fit_transform


def dataset_of(frame: pl.DataFrame) -> Dataset:
    """Return the frame as a dataset in memory."""
    return Dataset(frame.lazy(), SCHEMA, len(frame), "frame")


def benchmark_fit(n_pairs: int) -> None:
    """Fit and transform 20 000 rows of 12 mixed columns."""
    frame = mixed_frame(20_000)
    dataset = dataset_of(frame)

    def ours() -> Any:
        return TablePreparation(OPTIONS).fit_transform(dataset, LINEAR)[0].X

    for what, as_objects in (("text as pandas 3 reads it", False), ("text as Python objects", True)):
        peer = sklearn_side(frame, as_objects=as_objects)
        X, peer_X = ours(), peer()
        assert X.shape == peer_X.shape, (X.shape, peer_X.shape)
        assert np.allclose(np.sort(X.sum(axis=0)), np.sort(peer_X.sum(axis=0)), atol=1e-6)
        title = f"Fit and transform, 20 000 rows x 12 mixed columns to {X.shape[1]} features, {what}"
        show(title, "groundup", "scikit-learn", compare(ours, peer, n_pairs=n_pairs))


def benchmark_row(n_repeats: int) -> None:
    """One row from a dict, as JSON would give it, for a linear model and for trees."""
    frame = mixed_frame(20_000)
    rows = frame.head(1_000).with_columns(pl.col("date").dt.strftime("%Y-%m-%d")).to_dicts()
    print(f"\nOne row of 12 mixed columns from a dict, reading included  ({n_repeats} x 1 000 rows)")
    for name, needs in (("linear", LINEAR), ("trees", Needs(categories="codes", missing=True))):
        preparation = TablePreparation(OPTIONS)
        preparation.fit(dataset_of(frame), needs)
        encode = row_encoder(json.loads(json.dumps(preparation.state()[0])))
        per_row = [cpu_seconds(lambda: [encode(row) for row in rows]) / len(rows) for _ in range(n_repeats)]  # noqa: B023
        print(
            f"  {name:<10} {len(preparation.feature_names):>3} features   median {readable(median(per_row))}"
        )


def write_large(path: Path, n_rows: int) -> None:
    """Write a Parquet file of `n_rows` rows in row groups of 100 000, a piece at a time."""
    import pyarrow.parquet as pq

    writer = None
    for start in range(0, n_rows, 500_000):
        table = mixed_frame(min(500_000, n_rows - start), seed=start).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=100_000)
    assert writer is not None
    writer.close()


def peak_mebibytes() -> float:
    """Return the most memory this process has held (not, as `getrusage`, its parent's before it)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure_large(path: Path) -> None:
    """Fit on the file and transform it batch by batch; printed by the subprocess."""
    n_rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    dataset = Dataset(pl.scan_parquet(path), SCHEMA, n_rows, str(path))
    before = peak_mebibytes()
    start = time.process_time()
    preparation = TablePreparation(OPTIONS)
    preparation.fit(dataset, LINEAR)
    fitted, peak_fit = time.process_time(), peak_mebibytes()
    n_seen, checksum = 0, 0.0
    for inputs in preparation.transform_batches(dataset):
        n_seen += inputs.n_samples
        checksum += float(inputs.X[:, 0].sum())
    done, peak = time.process_time(), peak_mebibytes()
    assert n_seen == n_rows
    width = len(preparation.feature_names)
    print(
        f"\n{n_rows:,} rows from a Parquet file of {path.stat().st_size / 2**20:.0f} MiB to {width} features"
    )
    print(f"  fit                 {fitted - start:7.2f} s CPU   peak RSS {peak_fit:6.0f} MiB")
    print(f"  transform, batches  {done - fitted:7.2f} s CPU   peak RSS {peak:6.0f} MiB")
    print(f"  before              {'':>13}   peak RSS {before:6.0f} MiB")
    whole = n_rows * width * 8 / 2**20
    print(f"  (the whole matrix would be {whole:,.0f} MiB; sum of its first column {checksum:.3g})")


def benchmark_large(n_rows: int) -> None:
    """Generate the file, then measure in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.parquet"
        write_large(path, n_rows)
        subprocess.run([sys.executable, __file__, "--measure", str(path)], check=True)


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the large file; 0: none")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--only", choices=("fit", "row", "large"))
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure_large(asked.measure)
        return
    if asked.only in (None, "fit"):
        benchmark_fit(asked.pairs)
    if asked.only in (None, "row"):
        benchmark_row(30)
    if asked.only in (None, "large") and asked.rows:
        benchmark_large(asked.rows)


if __name__ == "__main__":
    main()
