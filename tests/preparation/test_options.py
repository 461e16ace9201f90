import pytest
from pydantic import ValidationError

from groundup.preparation.options import ColumnPreparation, PreparationOptions


def test_defaults_are_all_automatic() -> None:
    options = PreparationOptions()
    assert {
        options.impute_numbers,
        options.impute_categories,
        options.scale,
        options.encode,
        options.dates,
    } == {"auto"}
    assert options.columns == {}


@pytest.mark.parametrize("wrong", [{"rare_below": 0}, {"max_levels": 1}, {"scale": "log"}, {"sclae": "none"}])
def test_wrong_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PreparationOptions(**wrong)  # type: ignore[arg-type]


def test_options_survive_json() -> None:
    options = PreparationOptions(columns={"age": ColumnPreparation(impute="constant", fill_value=0.0)})
    assert PreparationOptions.model_validate_json(options.model_dump_json()) == options
