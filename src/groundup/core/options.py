"""The base of every options object: small, frozen, strict about keys, documented field by field."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A frozen pydantic model; the docstring under a field is its description everywhere."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
