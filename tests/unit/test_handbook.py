"""The written reference and the editors' schema say what the code says."""

import json

from smearlab.cli.handbook import PATH, reference_text
from smearlab.cli.schema import SCHEMA, schema_text
from smearlab.core import registry
from smearlab.core.digest import ROOT


def test_the_reference_is_the_one_that_make_docs_writes():
    assert PATH.read_text(encoding="utf-8") == reference_text(), "run `make docs`"


def test_the_schema_is_the_one_that_make_docs_writes():
    assert (ROOT / SCHEMA).read_text(encoding="utf-8") == schema_text(), "run `make docs`"


def test_every_registered_name_stands_in_the_reference_with_a_description():
    text = reference_text()
    for kind in registry.ENTRY_FUNCTIONS:
        for name in registry.names(kind):
            assert f"| `{name}` | {registry.describe(kind, name).summary[:20].replace('|', chr(92) + '|')}" in text
            assert len(registry.describe(kind, name).summary) > 10


def test_the_schema_names_the_registered_methods():
    definitions = json.loads(schema_text())["$defs"]
    assert definitions["MethodConfig"]["properties"]["name"]["enum"] == list(registry.names("methods"))
