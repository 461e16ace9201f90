"""What follows from the sizes of the classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.problems.classes import always_the_largest, choose_metric, choose_positive, class_findings

KNOWN = {"accuracy", "balanced_accuracy", "roc_auc", "pr_auc", "log_loss"}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 1000), min_size=2))
def test_every_balance_gives_a_metric_a_positive_class_and_a_baseline(counts):
    metric, why = choose_metric(counts)
    assert metric in KNOWN
    assert why
    positive, _ = choose_positive("y", counts, None)
    assert (positive in counts) == (len(counts) == 2)
    assert always_the_largest(counts).startswith("always `")
    assert all(finding.column == "y" for finding in class_findings("y", counts))


@pytest.mark.parametrize(("rare", "severity"), [(15, "info"), (1, "warning")])
def test_imbalance_is_graver_the_rarer_the_class(rare, severity):
    finding = class_findings("y", {"a": 100, "b": rare})[-1]
    assert (finding.code, finding.severity) == ("P002", severity)
    assert finding.evidence["rarest"] == rare
