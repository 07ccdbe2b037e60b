"""What rings, and why: the alarms of a template, made from the functions and tables it has.

Exceptions become answers inside the API's function, so Lambda's own errors say nothing of an API
that is broken: what its callers see is watched at API Gateway.
"""

from collections.abc import Mapping
from typing import Any

Resources = Mapping[str, Any]
Alarm = dict[str, Any]

MINUTE_S, FIVE_MINUTES_S = 60, 300
SLOW_MS = 2000  # who waits longer presses the button again
OLDEST_S = 600  # due work is attended to each minute: ten runs have not got to it
LATE_MS = 60_000  # later than the jobs, which carry out the same each minute
THROTTLED_MIN = 10  # in five minutes; retries make up for fewer

# Metrics of our own (chalicelib.observability) of which one is enough.
OURS = {
    "RefundsNeedPerson": (
        "RefundsNeedingPerson",
        "A refund was refused by the gateway and will not be sent again by itself: look at it in "
        "the console.",
    ),
    "DueWorkFails": (
        "DueWorkFailed",
        "Due work about an item failed and was postponed: its log line says which item and why.",
    ),
    "BillsDiffer": (
        "DifferencesFound",
        "A gateway's bill and the ledger do not say the same: look at the differences in the "
        "console.",
    ),
    "BillsAreMissing": (
        "BillsMissing",
        "A gateway has not given its bill for a day after it was due: its log line says whose and "
        "which.",
    ),
    "CapturesHaveWrongAmounts": (
        "CapturesOfWrongAmount",
        "A gateway took another amount than the order's: its log line says which; a person has to "
        "refund it.",
    ),
    "SignedCallbacksAreRefused": (
        "SignedCallbacksRefused",
        "A gateway told, rightly signed, what the books do not take: an unknown number, another "
        "account or amount. Its log line says which.",
    ),
}


def alarms(resources: Resources) -> dict[str, Alarm]:
    """Every alarm of the template, by logical id; `resources` are all its others."""
    functions = [n for n, it in resources.items() if it["Type"] == "AWS::Serverless::Function"]
    tables = {n: it for n, it in resources.items() if it["Type"] == "AWS::DynamoDB::Table"}
    found = {name: _ours(metric, why) for name, (metric, why) in OURS.items()}
    found["DueWorkWaits"] = _due_work_waits()
    found |= _of_the_api(resources["RestAPI"]["Properties"]) | _of_the_stream()
    for function in functions:
        found[f"{function}Errors"] = _of_function(
            function, "Errors", "raised an error or timed out: read its log."
        )
        found[f"{function}Throttles"] = _of_function(
            function, "Throttles", "was not run: the account's concurrency is used up."
        )
    for table, resource in tables.items():
        found |= _throttles(table, resource)
    return found


def _ours(metric: str, why: str) -> Alarm:
    return _alarm(why, at_least=1, **_metric("Tuan", metric, _service()), Statistic="Sum")


def _due_work_waits() -> Alarm:
    """No figure is as bad as a high one: the jobs that tell it do not run."""
    return _alarm(
        f"Work has been due for {OLDEST_S // 60} minutes, or the jobs of every minute do not run.",
        at_least=OLDEST_S,
        minutes=5,
        missing="breaching",
        **_metric("Tuan", "OldestDueWork", _service()),
        Statistic="Maximum",
    )


def _of_the_api(api: Mapping[str, Any]) -> dict[str, Alarm]:
    where = {"ApiName": api["Name"], "Stage": api["StageName"]}
    failing = _metric("AWS/ApiGateway", "5XXError", where)
    return {
        "AnswersFail": _alarm(
            "Five answers of 500 and above in five minutes: read the API's log.",
            at_least=5,  # single ones are DynamoDB or a gateway having no time, and are sent again
            period_s=FIVE_MINUTES_S,
            **failing,
            Statistic="Sum",
        ),
        "MostAnswersFail": _alarm(
            "Half of all answers are of 500 and above, however few there are: the API is broken.",
            at_least=0.5,
            minutes=3,  # one failed answer at night is all answers of its minute
            **failing,
            Statistic="Average",
        ),
        "AnswersAreSlow": _alarm(
            f"One answer in twenty takes {SLOW_MS // 1000} seconds or more.",
            at_least=SLOW_MS,
            period_s=FIVE_MINUTES_S,
            minutes=15,  # cold starts when an activity begins are over by then
            **_metric("AWS/ApiGateway", "Latency", where),
            ExtendedStatistic="p95",
            EvaluateLowSampleCountPercentile="ignore",
        ),
    }


def _of_the_stream() -> dict[str, Alarm]:
    queue = {"QueueName": {"Fn::GetAtt": ["FailedTradeChanges", "QueueName"]}}
    function = {"FunctionName": {"Ref": "OnTradeChange"}}
    return {
        "FailedTradeChangesWaiting": _alarm(
            "Changes of the trade table could not be handled; the minute jobs carry them out "
            "instead.",
            at_least=1,
            period_s=FIVE_MINUTES_S,
            **_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue),
            Statistic="Maximum",
        ),
        "TradeChangesLate": _alarm(
            "The stream consumer is more than a minute behind.",
            at_least=LATE_MS,
            minutes=3,
            **_metric("AWS/Lambda", "IteratorAge", function),
            Statistic="Maximum",
        ),
    }


def _of_function(function: str, metric: str, what: str) -> Alarm:
    return _alarm(
        f"{function} {what}",
        at_least=1,
        **_metric("AWS/Lambda", metric, {"FunctionName": {"Ref": function}}),
        Statistic="Sum",
    )


def _throttles(table: str, resource: Mapping[str, Any]) -> dict[str, Alarm]:
    """Of the table and its indexes, whose throttles DynamoDB counts apart."""
    indexes = [it["IndexName"] for it in resource["Properties"].get("GlobalSecondaryIndexes", [])]
    places = {table: {"TableName": {"Ref": table}}}
    for index in indexes:
        where = {"GlobalSecondaryIndexName": index, **places[table]}
        places[table + index.title().replace("_", "")] = where
    return {
        f"{name}{kind}Throttles": _alarm(
            f"DynamoDB turns calls to {name} away: more than its partitions take at once.",
            at_least=THROTTLED_MIN,
            period_s=FIVE_MINUTES_S,
            **_metric("AWS/DynamoDB", f"{kind}ThrottleEvents", where),
            Statistic="Sum",
        )
        for name, where in places.items()
        for kind in ("Read", "Write")
    }


def _service() -> dict[str, Any]:
    return {"service": {"Fn::Sub": "tuan-${Stage}"}}


def _metric(namespace: str, name: str, dimensions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }


def _alarm(
    why: str,
    *,
    at_least: float,
    period_s: int = MINUTE_S,
    minutes: int = 0,
    missing: str = "notBreaching",
    **more: Any,
) -> Alarm:
    """Rings when it was at least so much in one period, or in all of so many `minutes`."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": why,
            **more,
            "Period": period_s,
            "EvaluationPeriods": max(1, minutes * 60 // period_s),
            "Threshold": at_least,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": missing,
            "AlarmActions": [{"Ref": "Alarms"}],
        },
    }
