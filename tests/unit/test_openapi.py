"""The API's description is the one committed, and is complete."""

import json

from infra import openapi

DOCUMENT = json.loads(openapi.rendered())


def test_committed_description_is_up_to_date() -> None:
    assert openapi.TARGET.read_text() == openapi.rendered(), "run `make openapi` and commit it"


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert names <= set(DOCUMENT["components"]["schemas"])


def test_operation_ids_are_unique() -> None:
    ids = [
        operation["operationId"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    ]

    assert len(ids) == len(set(ids))


def test_every_operation_says_who_may_ask_and_how_it_refuses() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert "500" in operation["responses"], (method, path)
            secured = "security" in operation
            assert secured == (
                "401" in operation["responses"]
                and "callbacks" not in path
                and not path.endswith("sessions")
            ), path
