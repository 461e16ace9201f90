"""The rules there are, by the code of what they find; loaded on use."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DATA_RULES: Final[Mapping[str, str]] = MappingProxyType(  # each looks at a DataSignals
    {
        "D004": "groundup.doctor.data_rules:rows_without_target",
        "D005": "groundup.doctor.data_rules:missing_column",
        "D006": "groundup.doctor.data_rules:constant_column",
        "D007": "groundup.doctor.data_rules:identifier_column",
        "D010": "groundup.doctor.data_rules:many_missing_values",
        "D012": "groundup.doctor.data_rules:more_columns_than_rows",
        "D015": "groundup.doctor.leak_rules:gives_target_away",
        "D016": "groundup.doctor.column_rules:near_constant_column",
        "D017": "groundup.doctor.column_rules:identifier_as_feature",
        "D018": "groundup.doctor.population_rules:under_represented",
        "D019": "groundup.doctor.availability_rules:later_than_the_row",
        "D020": "groundup.doctor.availability_rules:changes_with_time",
    }
)

FIT_RULES: Final[Mapping[str, str]] = MappingProxyType(  # each looks at a FitSignals
    {
        "F001": "groundup.doctor.fit_rules:overfits",
        "F002": "groundup.doctor.fit_rules:underfits",
        "F003": "groundup.doctor.fit_rules:no_better_than_baseline",
        "F004": "groundup.doctor.fit_rules:not_converged",
        "F005": "groundup.doctor.fit_rules:more_data_would_help",
        "F006": "groundup.doctor.leak_rules:suspiciously_good",
        "F007": "groundup.doctor.label_rules:labels_look_wrong",
        "F008": "groundup.doctor.column_rules:too_little_data",
        "F009": "groundup.doctor.fit_rules:probabilities_are_shifted",
        "F010": "groundup.doctor.fit_rules:diverged",
        "V001": "groundup.doctor.slice_rules:worse_on_a_slice",
        "V002": "groundup.doctor.slice_rules:unequal_rates",
    }
)

USE_RULES: Final[Mapping[str, str]] = MappingProxyType(  # each looks at a UseSignals
    {
        "M001": "groundup.doctor.use_rules:unlike_training",
    }
)

RULES: Final[Mapping[str, str]] = MappingProxyType({**DATA_RULES, **FIT_RULES, **USE_RULES})
