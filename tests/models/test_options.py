from groundup.models.options import ModelOptions


def test_further_keys_are_hyperparameters() -> None:
    options = ModelOptions.model_validate({"name": "lightgbm", "n_estimators": 300})
    assert options.hyperparameters == {"n_estimators": 300}


def test_defaults_to_comparing_the_default_candidates() -> None:
    options = ModelOptions()
    assert (options.name, options.candidates, options.hyperparameters) == ("auto", (), {})
