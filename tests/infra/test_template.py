"""The template that is deployed: what the app relies on is there, and nothing more is allowed."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

import app as application
from chalicelib.api.languages import english
from chalicelib.domain import exports
from infra import merge_template
from infra.package import ROOT, ZIP_NAME, complete_template, package
from infra.wheels import normal, pins

Template = dict[str, Any]

PAYMENT_ACCOUNTS = ("wechat-pay", "alipay")
ACCOUNTS = (*PAYMENT_ACCOUNTS, "wechat-login", "wechat-account", "sms")
TABLES = ("CatalogueTable", "TradeTable", "RecordsTable")
JOBS = {
    "".join(word.capitalize() for word in source.name.split("_"))
    for source in application.app.event_sources
    if type(source).__name__ == "ScheduledEventConfig"
}
SETTINGS = {
    "STAGE",
    "CATALOGUE_TABLE",
    "TRADE_TABLE",
    "RECORDS_TABLE",
    "PARAMETERS_PREFIX",
    "WECHAT_API_URL",
    "WECHAT_OPEN_URL",
    "WECHAT_PAY_URL",
    "ALIPAY_URL",
    "ALIPAY_AUTH_URL",
    "SMS_URL",
    "MEDIA_BUCKET",
    "MEDIA_URL",
    "WEB_URL",
    "TIME_DIVISOR",
    "DYNAMODB_CLIENT",
}


@pytest.fixture(scope="session")
def packaged() -> Path:
    return package("local")


@pytest.fixture(scope="session")
def template(packaged: Path) -> Template:
    content: Template = json.loads((packaged / "sam.json").read_text())
    return content


def test_every_job_runs_each_minute(template: Template) -> None:
    schedules = {
        name: [it["Properties"]["Schedule"] for it in events.values() if it["Type"] == "Schedule"]
        for name, function in functions(template).items()
        if (events := function.get("Events", {}))
    }

    assert schedules.pop("OnTradeChange") == []
    assert schedules == {job: ["rate(1 minute)"] for job in JOBS}


def test_stream_function_reads_the_trade_table_and_may_fail_record_by_record(
    template: Template,
) -> None:
    events = template["Resources"]["OnTradeChange"]["Properties"]["Events"]
    (source,) = events.values()
    wanted = {
        "Stream": {"Fn::GetAtt": ["TradeTable", "StreamArn"]},
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 5,
    }

    assert {key: source["Properties"][key] for key in wanted} == wanted
    assert source["Properties"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"


def test_every_setting_of_the_app_reaches_every_function(template: Template) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    read = set(re.findall(r'env\.get\("(\w+)"', (ROOT / "chalicelib/settings.py").read_text()))
    read.remove("_HANDLER")  # Lambda says it

    assert set(variables) == SETTINGS == read
    for name, function in functions(template).items():
        overridden = function.get("Environment", {}).get("Variables", {}).keys() & SETTINGS
        assert not overridden, name


def test_stage_of_the_package_names_its_parameters(template: Template) -> None:
    assert template["Parameters"]["Stage"]["Default"] == "local"
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["PARAMETERS_PREFIX"] == {"Fn::Sub": "/tuan/${Stage}"}
    address = template["Resources"]["PublicApiUrl"]["Properties"]["Name"]
    assert address == {"Fn::Sub": "/tuan/${Stage}/public-api-url"}


def test_timeouts_keep_the_api_below_its_gateway_and_give_jobs_their_minute(
    template: Template,
) -> None:
    timeouts = {name: function["Timeout"] for name, function in functions(template).items()}

    assert timeouts.pop("APIHandler") == 10
    assert set(timeouts.values()) == {60}


def test_every_function_is_given_its_memory_and_time(template: Template) -> None:
    """What functions.yaml leaves out would run with the defaults of Chalice."""
    given = {
        name
        for name, resource in merge_template.merged()["Resources"].items()
        if {"MemorySize", "Timeout"} <= resource["Properties"].keys()
    }

    assert given == functions(template).keys()


def test_policies_name_every_action_and_every_table(template: Template) -> None:
    isolated_tables = [{"Fn::GetAtt": [table, "Arn"]} for table in TABLES]
    own_indexes = [{"Fn::Sub": f"${{{table}.Arn}}/index/*"} for table in TABLES]
    own_stream = [
        {"Fn::GetAtt": ["TradeTable", "StreamArn"]},
        {"Fn::Sub": "${TradeTable.Arn}/stream/*"},
    ]

    for statement in statements(template):
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        if any(action.startswith("dynamodb:") for action in listed(statement["Action"])):
            for resource in listed(statement["Resource"]):
                assert resource in isolated_tables + own_indexes + own_stream


def test_records_can_be_added_and_read_but_never_changed(template: Template) -> None:
    records = {"Fn::GetAtt": ["RecordsTable", "Arn"]}
    allowed = {
        action
        for statement in statements(template)
        if records in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }

    reads = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
    assert allowed - reads == {"dynamodb:PutItem"}


def test_only_the_api_may_write_parameters_and_only_merchants_accounts(template: Template) -> None:
    writers = {
        name: [
            resource["Fn::Sub"].partition(":parameter")[2]
            for policy in role["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "ssm:PutParameter" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        ]
        for name, role in template["Resources"].items()
        if role["Type"] == "AWS::IAM::Role"
    }

    found = {name: paths for name, paths in writers.items() if paths}
    earlier = [f"{name}/*" for name in PAYMENT_ACCOUNTS]  # those of before
    accounts = {f"/tuan/${{Stage}}/merchants/*/{name}" for name in (*ACCOUNTS, *earlier)}
    assert {name: set(paths) for name, paths in found.items()} == {"ApiHandlerRole": accounts}


def test_only_the_stream_function_may_read_the_stream(template: Template) -> None:
    readers = [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and "dynamodb:GetRecords" in json.dumps(resource)
    ]

    assert readers == ["OnTradeChangeRole"]


def test_tables_are_kept_encrypted_and_recoverable(template: Template) -> None:
    for name in TABLES:
        table = template["Resources"][name]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
        properties = table["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        recovery = properties["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}


def test_pictures_are_kept_private_and_uploads_for_a_day(template: Template) -> None:
    bucket = template["Resources"]["MediaBucket"]
    properties = bucket["Properties"]

    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]  # no ACL has any effect
    }
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert {(rule["Status"], rule["Prefix"], rule["ExpirationInDays"]) for rule in rules} == {
        ("Enabled", "uploads/", 1),
        ("Enabled", "exports/", 8),
        ("Enabled", "media/codes/", 60),
    }
    assert exports.KEPT_S < 8 * 86400  # a link never outlives its file
    (cors,) = properties["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedMethods"] == ["POST"]


def test_only_our_own_cdn_reads_pictures_and_only_accepted_ones(template: Template) -> None:
    policy = template["Resources"]["MediaBucketPolicy"]["Properties"]["PolicyDocument"]
    allowed = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    refused = [one for one in policy["Statement"] if one["Effect"] == "Deny"]

    (reader,) = allowed
    assert reader["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert (reader["Action"], reader["Resource"]) == (
        "s3:GetObject",
        {"Fn::Sub": "${MediaBucket.Arn}/media/*"},
    )
    account = {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*"}
    assert reader["Condition"] == {"ArnLike": {"AWS:SourceArn": account}}
    assert [one["Condition"] for one in refused] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_pictures_have_a_cdn_of_their_own_unless_another_is_named(template: Template) -> None:
    address = {
        "Fn::If": [
            "OwnMediaCdn",
            {"Fn::Sub": "https://${MediaCdn.DomainName}"},
            {"Ref": "MediaUrl"},
        ]
    }
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    cdn = template["Resources"]["MediaCdn"]
    distribution = cdn["Properties"]["DistributionConfig"]

    assert template["Conditions"]["OwnMediaCdn"] == {"Fn::Equals": [{"Ref": "MediaUrl"}, ""]}
    assert variables["MEDIA_URL"] == template["Outputs"]["MediaUrl"]["Value"] == address
    assert (cdn["Condition"], cdn["DeletionPolicy"]) == ("OwnMediaCdn", "Retain")  # for good
    (origin,) = distribution["Origins"]
    assert origin["DomainName"] == {"Fn::GetAtt": ["MediaBucket", "RegionalDomainName"]}
    assert origin["OriginAccessControlId"] == {"Ref": "MediaAccess"}
    behaviour = distribution["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["AllowedMethods"] == ["GET", "HEAD"]


def test_bucket_is_open_to_who_needs_which_part_of_it(template: Template) -> None:
    using = {
        name: {
            (action, statement["Resource"]["Fn::Sub"])
            for policy in resource["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in listed(statement["Action"])
            if action.startswith("s3:")
        }
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and "s3:" in json.dumps(resource)
    }

    uploads, media = "${MediaBucket.Arn}/uploads/*", "${MediaBucket.Arn}/media/*"
    exports_ = "${MediaBucket.Arn}/exports/*"
    assert using == {
        "ApiHandlerRole": {
            ("s3:GetObject", uploads),
            ("s3:PutObject", uploads),
            ("s3:DeleteObject", uploads),
            ("s3:PutObject", media),
            ("s3:GetObject", exports_),
        },
        "OnTradeChangeRole": {("s3:GetObject", exports_), ("s3:PutObject", exports_)},
        "WriteExportsRole": {("s3:GetObject", exports_), ("s3:PutObject", exports_)},
    }


def test_every_function_has_an_alarm_for_its_errors_and_throttles(template: Template) -> None:
    for metric in ("Errors", "Throttles"):
        watched = [
            dimension["Value"]["Ref"]
            for alarm in alarms(template).values()
            if alarm.get("MetricName") == metric
            for dimension in alarm["Dimensions"]
        ]

        assert sorted(watched) == sorted(functions(template))


def test_api_is_watched_by_the_answers_that_its_callers_get(template: Template) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]
    where = [
        {"Name": "ApiName", "Value": api["Name"]},
        {"Name": "Stage", "Value": api["StageName"]},
    ]
    watched = {
        (alarm["MetricName"], alarm.get("Statistic") or alarm["ExtendedStatistic"])
        for alarm in alarms(template).values()
        if alarm.get("Namespace") == "AWS/ApiGateway" and alarm["Dimensions"] == where
    }

    assert watched == {("5XXError", "Sum"), ("5XXError", "Average"), ("Latency", "p95")}
    # Its metrics go by this name, which two stages in one account must not share.
    assert api["Name"] == api["DefinitionBody"]["info"]["title"] == {"Fn::Sub": "tuan-${Stage}"}


def test_throttles_of_every_table_and_index_ring(template: Template) -> None:
    watched = {
        (alarm["MetricName"], *sorted(str(one["Value"]) for one in alarm["Dimensions"]))
        for alarm in alarms(template).values()
        if alarm["Namespace"] == "AWS/DynamoDB"
    }
    places = {
        tuple(sorted([str({"Ref": table}), *index]))
        for table in TABLES
        for indexes in [template["Resources"][table]["Properties"].get("GlobalSecondaryIndexes")]
        for index in [(), *((it["IndexName"],) for it in indexes or [])]
    }

    kinds = ("ReadThrottleEvents", "WriteThrottleEvents")
    assert watched == {(kind, *place) for kind in kinds for place in places}


def test_every_alarm_of_ours_is_of_a_metric_that_is_counted(template: Template) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    watched = {a["MetricName"] for a in alarms(template).values() if a.get("Namespace") == "Tuan"}

    assert watched == {
        "BillsMissing",
        "CapturesOfWrongAmount",
        "DifferencesFound",
        "DueWorkFailed",
        "OldestDueWork",
        "RefundsNeedingPerson",
        "SignedCallbacksRefused",
    }
    assert [name for name in watched if f'"{name}"' not in sources] == []


def test_jobs_that_do_not_run_ring(template: Template) -> None:
    assert alarms(template)["DueWorkWaits"]["TreatMissingData"] == "breaching"


def test_alarms_reach_the_address_that_production_must_name(
    packaged: Path, template: Template, tmp_path: Path
) -> None:
    subscription = template["Resources"]["AlarmsByEmail"]
    assert subscription["Condition"] == "SomebodyIsOnDuty"
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}
    assert {str(a["AlarmActions"]) for a in alarms(template).values()} == {"[{'Ref': 'Alarms'}]"}

    raw = json.loads((packaged / "sam.json").read_text())
    for name in alarms(raw):
        del raw["Resources"][name]
    path = tmp_path / "sam.json"
    path.write_text(json.dumps(raw))
    complete_template(path, "prod")

    parameters = json.loads(path.read_text())["Parameters"]
    wanted = {name for name, parameter in parameters.items() if "Default" not in parameter}
    assert wanted == {"AlarmEmail", "WebUrl"}
    for name, given, taken in (
        ("AlarmEmail", "", False),
        ("AlarmEmail", "duty@shop.cn", True),
        ("WebUrl", "https://shop.example.com", False),
        ("WebUrl", "http://shop.cn", False),
        ("WebUrl", "https://shop.cn", True),
    ):
        matches = re.fullmatch(parameters[name]["AllowedPattern"], given)
        assert bool(matches) == taken, (name, given)


def test_answers_of_the_gateway_itself_look_like_ours(template: Template) -> None:
    answers = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    codes = {}
    for kind, answer in answers.items():
        body = json.loads(answer["ResponseTemplates"]["application/json"])
        assert set(body) == {"code", "message", "message_en", "details"}
        assert body["message_en"] == english()[body["message"]]
        assert answer["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == "'*'"
        codes[kind] = (answer.get("StatusCode"), body["code"])

    assert codes["MISSING_AUTHENTICATION_TOKEN"] == ("404", "not_found")
    assert codes["DEFAULT_4XX"] == (None, "invalid_request")
    assert codes["DEFAULT_5XX"] == (None, "internal_error")


def test_stage_is_throttled_and_logins_more_than_the_rest(template: Template) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]
    limits = {
        (setting["HttpMethod"], setting["ResourcePath"].replace("~1", "/")): (
            setting["ThrottlingRateLimit"],
            setting["ThrottlingBurstLimit"],
        )
        for setting in api["MethodSettings"]
    }

    every = ("*", "/*")
    assert limits[every] == (2000, 2000)
    assert len(limits) == 7  # each login of buyers, codes to phones, logins of staff
    for method, path in limits.keys() - {every}:
        assert method.lower() in api["DefinitionBody"]["paths"][path.removeprefix("/")]
        assert limits[method, path] < limits[every]
    throttled = api["GatewayResponses"]["THROTTLED"]["ResponseParameters"]["Headers"]
    assert throttled["Retry-After"] == "'1'"


def test_counts_of_wrong_passwords_end_by_themselves(template: Template) -> None:
    catalogue = template["Resources"]["CatalogueTable"]["Properties"]

    assert catalogue["TimeToLiveSpecification"] == {"AttributeName": "ttl_s", "Enabled": True}


def test_the_definition_holds_in_every_partition() -> None:
    sources = [*merge_template.files(), *(ROOT / ".chalice").glob("*.json")]

    for source in sources:
        text = source.read_text()
        assert "arn:aws:" not in text, source
        assert not re.search(r"\d{12}", text), f"{source} names an account"


def test_package_holds_the_app_compiled_and_nothing_hidden(packaged: Path) -> None:
    with zipfile.ZipFile(packaged / ZIP_NAME) as zipped:
        names = zipped.namelist()

    assert {"app.py", "chalicelib/api/english.json"} <= set(names)
    assert [name for name in names if name.startswith("__pycache__/app.") and name.endswith(".pyc")]
    assert not [name for name in names if any(part.startswith(".") for part in name.split("/"))]
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/")}
    assert {service for service in services if "." not in service} == {"dynamodb", "s3", "ssm"}


def test_package_holds_what_is_locked_and_no_other_package(packaged: Path) -> None:
    with zipfile.ZipFile(packaged / ZIP_NAME) as zipped:
        found = {
            match[1]: match[2]
            for name in zipped.namelist()
            if (match := re.match(r"([^/]+)-([^/-]+)\.dist-info/METADATA$", name))
        }

    locked = pins((ROOT / "requirements.txt").read_text())
    assert {normal(name): version for name, version in found.items()} == locked


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of every function, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of every alarm, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def statements(template: Template) -> list[dict[str, Any]]:
    """Every statement of every role."""
    return [
        statement
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def listed(value: Any) -> list[Any]:
    """IAM writes one thing without its list."""
    return value if isinstance(value, list) else [value]
