"""What Lambda lets each function do is said in a policy of its own kind, by name."""

import json

import app as application
from tests.fixtures import function_policies

API = "api_handler"
JOBS = sorted(source.name for source in application.app.event_sources)
MESSAGES = "send_subscribe_messages"
MINI_PROGRAM = "merchants/*/wechat-login"
SESSIONS = {
    "session-key",
    "id-key",
    "merchants/*/sms",
    "merchants/*/wechat-account",
}  # of people, not of work


def test_every_function_names_its_policy_and_every_policy_is_somebodys() -> None:
    config = json.loads((function_policies.POLICIES / "config.json").read_text())
    named = {name: it.get("iam_policy_file") for name, it in config["lambda_functions"].items()}

    assert "iam_policy_file" not in config  # none for a function that nobody has thought of
    assert set(named) == {API, *JOBS}
    assert set(named.values()) == {
        path.name for path in function_policies.POLICIES.glob("policy-*.json")
    }


def test_only_the_api_may_read_the_secrets_of_sessions() -> None:
    readers = {
        name
        for name in (API, *JOBS)
        if function_policies.parameters(function_policies.policy_of(name))
        & {*SESSIONS, "*", "merchants/*"}
    }

    assert readers == {API}


def test_only_who_logs_buyers_in_or_sends_to_their_wechat_reads_the_mini_programs_secret() -> None:
    may = {name: function_policies.parameters(function_policies.policy_of(name)) for name in JOBS}

    assert [name for name, read in may.items() if MINI_PROGRAM in read] == [MESSAGES]
    assert may[MESSAGES] == {MINI_PROGRAM}


def test_job_that_asks_no_gateway_reads_no_secret() -> None:
    assert function_policies.parameters(function_policies.policy_of("close_activities")) == set()


def test_api_may_all_that_jobs_may_do_to_items() -> None:
    """What a job carries out, a request may carry out at once."""
    api = function_policies.allowed(function_policies.policy_of(API))
    for name in JOBS:
        wanted = function_policies.allowed(function_policies.policy_of(name))

        assert {use for use in wanted if use[0].startswith("dynamodb:")} <= api, name
