"""What a function loads on Lambda, where a process is one function."""

import json
import os
import subprocess
import sys
from typing import Any

from chalicelib.api.buyers import routes as of_everybody
from chalicelib.api.merchant import routes as of_staff
from infra.package import ROOT

ASKING = """
import json, sys
from types import SimpleNamespace
import app

def ask(path):
    context = SimpleNamespace(
        function_name="f", memory_limit_in_mb=1, invoked_function_arn="a", aws_request_id="r",
        get_remaining_time_in_millis=lambda: 60_000,
    )
    event = {
        "httpMethod": "GET", "resource": path, "headers": {}, "pathParameters": {},
        "requestContext": {
            "resourcePath": path, "httpMethod": "GET", "identity": {"sourceIp": "192.0.2.1"},
        },
        "multiValueQueryStringParameters": None, "stageVariables": {}, "body": None,
    }
    answer = app.app(event, context)
    return answer["statusCode"], len(answer["body"])

def loaded(package):
    return sorted(name for name in sys.modules if name.startswith(package))

print(json.dumps({EXPRESSION}), file=sys.stderr)
"""


def told(handler: str, expression: str) -> Any:
    """Return what an expression is in a process that is the function of that handler."""
    env = {**os.environ, "_HANDLER": handler, "PYTHONWARNINGS": "ignore"}
    code = ASKING.replace("{EXPRESSION}", expression)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stderr)


def test_api_declares_the_routes_of_staff_when_one_of_them_asks() -> None:
    staff = "'/v1/merchant/me'"

    before, answer, after = told(
        "app.app", f"[{staff} in app.app.routes, ask({staff}), {staff} in app.app.routes]"
    )

    assert (before, answer[0], after) == (False, 401, True)


def test_api_describes_the_routes_of_staff_before_one_asks() -> None:
    document = told("app.app", "[ask('/v1/openapi.json')[0], len(app.OPERATIONS)]")

    everything = [o for api in (*of_everybody.ALL, *of_staff.ALL) for o in api.operations]
    assert document == [200, len(everything)]


def test_job_loads_nothing_of_the_api() -> None:
    assert told("app.fail_due_groups", "loaded('chalicelib.api')") == []
