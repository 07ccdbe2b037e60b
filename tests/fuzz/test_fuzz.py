"""Whatever the document allows or forbids, whoever asks: no error inside, no answer that is not
written down, no nonsense accepted.

FUZZ_EXAMPLES requests to every operation (7), and as many stories of a few requests that follow
from each other's answers, from FUZZ_SEED (1). `make fuzz` takes 100, from a seed that it prints.
"""

from contextlib import suppress
from itertools import count
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import BaseSchema, Case, Response
from schemathesis.core.failures import FailureGroup

from app import OPERATIONS
from chalicelib.api.http import Operation
from tests.fixtures.two_merchants import TwoMerchants
from tests.fuzz.generated_requests import (
    EXAMPLES,
    SEED,
    SETTINGS,
    STORY_CHECKS,
    Who,
    about,
    answer,
    cases,
    next_second,
    served,
    session_of,
    who_may,
)
from tests.fuzz.wsgi_gateway import wsgi_app

STEPS = 8
AT_ONCE = 10  # stories of one seed


@pytest.fixture(scope="package")
def document() -> BaseSchema:
    return served()


@pytest.fixture(scope="package")
def document_of_our_shop(merchants: TwoMerchants) -> BaseSchema:
    return about(merchants.ours)


def name_of(operation: Operation) -> str:
    return operation.name


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_operation_keeps_its_word(
    merchants: TwoMerchants,
    document: BaseSchema,
    document_of_our_shop: BaseSchema,
    operation: Operation,
) -> None:
    described = document[operation.path][operation.method]
    of_ours = document_of_our_shop[operation.path][operation.method]
    requests = cases(described, of_ours, merchants.ours)
    rightly = who_may(described)

    @hypothesis.seed(SEED)
    @SETTINGS
    @hypothesis.given(case=requests, who=st.sampled_from([rightly, rightly, rightly, *Who]))
    def ask(case: Case[Any], who: Who) -> None:
        next_second(merchants)
        answer(case, session_of(merchants, who))

    ask()


def test_stories_that_follow_from_answers_keep_it_too(
    merchants: TwoMerchants, document_of_our_shop: BaseSchema
) -> None:
    """An id that an answer gives is asked about next, wherever the document takes one.

    What a story changes, the next one finds: Hypothesis takes that for a test that is not sure of
    itself, and ends. So what is broken is kept here, and the next seed goes on.
    """
    told = 0
    broken: list[FailureGroup] = []

    class Story(document_of_our_shop.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            nonlocal told
            told += 1

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            next_second(merchants)
            return {"app": wsgi_app, "headers": session_of(merchants, who_may(case.operation))}

        def validate_response(self, response: Response, case: Case[Any], **_: Any) -> None:
            try:
                case.validate_response(response, checks=STORY_CHECKS)
            except FailureGroup as found:
                broken.append(found)

    few = hypothesis.settings(SETTINGS, stateful_step_count=STEPS, max_examples=AT_ONCE)
    for seed in count(SEED):
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(hypothesis.seed(seed)(Story), settings=few)
        if told >= EXAMPLES or broken:
            break
    if broken:
        raise broken[0]
