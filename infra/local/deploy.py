"""Deploy the production package into the local emulator, through CloudFormation as in the cloud.

The template and the zip are those that `infra.package` makes for any stage. What the emulator
lacks is mended after the deployment, in `_mend_api`, not in the template.
"""

import json
import math
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local import pace
from infra.local.engine import ACCOUNT_ID, REGION, client, put_parameters
from infra.package import ROOT, ZIP_NAME, package

STACK = "tuan"
BUCKET = "tuan-packages"
DEPLOY_S = 120.0  # how long a deployment may take
POLL_S = 0.1
FUNCTION_MAX_S = 900  # that Lambda lets a function run

# CloudFormation parameters (infra/template/parameters.yaml) by the settings that the app reads.
PARAMETERS = {
    "WECHAT_API_URL": "WechatApiUrl",
    "WECHAT_OPEN_URL": "WechatOpenUrl",
    "WECHAT_PAY_URL": "WechatPayUrl",
    "ALIPAY_URL": "AlipayUrl",
    "ALIPAY_AUTH_URL": "AlipayAuthUrl",
    "SMS_URL": "SmsUrl",
    "MEDIA_URL": "MediaUrl",
    "WEB_URL": "WebUrl",
    "TIME_DIVISOR": "TimeDivisor",
}

Template = dict[str, Any]


class DeploymentFailed(Exception):
    """CloudFormation refused or rolled back; the message holds its reasons."""


def deploy(
    endpoint: str,
    settings: Mapping[str, str] | None = None,
    *,
    stage: str = "local",
    project: Path = ROOT,
) -> str:
    """Package and deploy the app into the emulator; again, it updates what is there.

    settings: values for any of PARAMETERS; the others keep the template's defaults. Returns the
    base URL of the API, without a trailing slash, and puts it where the app reads it
    (public-api-url). Raises DeploymentFailed.
    """
    folder = package(stage, project=project)
    template = json.loads((folder / "sam.json").read_text())
    give_time(template)
    template_url = _upload(endpoint, folder, template)
    outputs = _apply(endpoint, template_url, settings or {})
    api_id = outputs["RestAPIId"]
    _mend_api(endpoint, api_id, template)
    url = f"{endpoint}/_aws/execute-api/{api_id}/api"
    put_parameters(endpoint, {f"/tuan/{stage}/public-api-url": url}, secret=False)
    return url


def give_time(template: Template) -> None:
    """Let functions run longer where everything takes longer: a process that is ended at its first
    request starts anew for the next, and is ended again."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            longer_s = math.ceil(properties["Timeout"] * pace.slowness())
            properties["Timeout"] = min(FUNCTION_MAX_S, longer_s)


def function_names(endpoint: str) -> dict[str, str]:
    """The deployed functions: their logical ids (FailDueGroups) to their names in the emulator."""
    cloudformation = client("cloudformation", endpoint)
    resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


def run_job(endpoint: str, name: str) -> None:
    """Run a scheduled function now, by its logical id, as its minute would.

    The emulator looks at its rules every ten seconds only, and first a minute after they were
    made. Raises DeploymentFailed when the function raises.
    """
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": {},
    }
    answer = client("lambda", endpoint).invoke(
        FunctionName=function_names(endpoint)[name], Payload=json.dumps(event)
    )
    said = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise DeploymentFailed(f"{name} failed: {said}")


def _upload(endpoint: str, folder: Path, template: Template) -> str:
    """Do what `aws cloudformation package` does, without starting its command-line program."""
    s3 = client("s3", endpoint)
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    key = (folder / "fingerprint").read_text()
    s3.put_object(Bucket=BUCKET, Key=f"{key}.zip", Body=(folder / ZIP_NAME).read_bytes())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{BUCKET}/{key}.zip"
    s3.put_object(Bucket=BUCKET, Key=f"{key}.json", Body=json.dumps(template).encode())
    return f"{endpoint}/{BUCKET}/{key}.json"


def _apply(endpoint: str, template_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Make the stack, or update it, and return its outputs."""
    cloudformation = client("cloudformation", endpoint)
    change = cloudformation.update_stack if _stacks(cloudformation) else cloudformation.create_stack
    with _nothing_to_do():
        change(
            StackName=STACK,
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": PARAMETERS[name], "ParameterValue": value}
                for name, value in settings.items()
            ],
        )
    deadline_s = time.monotonic() + pace.patient(DEPLOY_S)
    while (stack := _stacks(cloudformation)[0])["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline_s:
            raise DeploymentFailed(f"{stack['StackStatus']} after {pace.patient(DEPLOY_S):.0f} s.")
        time.sleep(POLL_S)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeploymentFailed(_reasons(cloudformation, stack["StackStatus"]))
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@contextmanager
def _nothing_to_do() -> Iterator[None]:
    """Pass over CloudFormation's refusal of an update that changes nothing."""
    try:
        yield
    except ClientError as refusal:
        if "No updates are to be performed" not in refusal.response["Error"]["Message"]:
            raise


def _stacks(cloudformation: Any) -> list[dict[str, Any]]:
    """The stack, alone in a list; an empty list before the first deployment."""
    try:
        stacks: list[dict[str, Any]] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError as refusal:
        if "does not exist" in refusal.response["Error"]["Message"]:
            return []
        raise
    return stacks


def _reasons(cloudformation: Any, status: str) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    failed = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
    ]
    return "\n".join([status, *failed])


def _mend_api(endpoint: str, api_id: str, template: Template) -> None:
    """Give the API what ministack leaves out when it imports an OpenAPI document.

    API Gateway reads the headers of CORS preflights and the gateway's own answers from the
    document; here they are put by call, and the stage is deployed again with them.
    """
    gateway = client("apigateway", endpoint)
    api = template["Resources"]["RestAPI"]["Properties"]
    paths = api["DefinitionBody"]["paths"]
    for resource in gateway.get_resources(restApiId=api_id, limit=500)["items"]:
        preflight = paths.get(resource["path"], {}).get("options")
        if preflight:
            answer = preflight["x-amazon-apigateway-integration"]["responses"]["default"]
            _put_preflight(gateway, api_id, resource["id"], answer["responseParameters"])
    for kind, answer in api["GatewayResponses"].items():
        _put_gateway_answer(gateway, api_id, kind, answer)
    gateway.create_deployment(restApiId=api_id, stageName="api")


def _put_preflight(gateway: Any, api_id: str, resource_id: str, headers: dict[str, str]) -> None:
    preflight = {
        "restApiId": api_id,
        "resourceId": resource_id,
        "httpMethod": "OPTIONS",
        "statusCode": "200",
    }
    gateway.put_method_response(**preflight, responseParameters=dict.fromkeys(headers, False))
    gateway.put_integration_response(**preflight, responseParameters=headers)


def _put_gateway_answer(gateway: Any, api_id: str, kind: str, answer: dict[str, Any]) -> None:
    headers = answer["ResponseParameters"]["Headers"]
    status = {"statusCode": answer["StatusCode"]} if "StatusCode" in answer else {}
    gateway.put_gateway_response(
        restApiId=api_id,
        responseType=kind,
        responseTemplates=answer["ResponseTemplates"],
        responseParameters={
            f"gatewayresponse.header.{name}": value for name, value in headers.items()
        },
        **status,
    )
