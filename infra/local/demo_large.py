"""`DEMO=large`: the demonstration shop in its third year, with 1,000 products and 10,000 orders."""

import json
import subprocess
import sys

from infra.local import engine, system
from infra.local.deploy import STACK
from infra.local.system import System
from infra.package import ROOT


def fill(running: System) -> None:
    """Fill the running shop. Raises subprocess.CalledProcessError."""
    owner = running.owner()
    products = owner.api.items("/v1/merchant/products")
    activities = owner.api.items("/v1/merchant/activities?state=running")
    given = {
        "merchant_id": owner.merchant_id,
        "images": [it["image"] for it in products],
        "category_ids": sorted({it["category_id"] for it in products}),
        "activities": activities,
    }
    env = system.environment(engine.credentials(running.aws_url)) | _tables(running.aws_url)
    env |= {
        "STAGE": system.STAGE,
        "PARAMETERS_PREFIX": f"/tuan/{system.STAGE}",
        "MEDIA_URL": products[0]["image"].partition("/media/")[0],
    }
    command = [sys.executable, "-m", "infra.local.demo_past"]
    subprocess.run(command, cwd=ROOT, env=env, input=json.dumps(given), text=True, check=True)


def _tables(aws_url: str) -> dict[str, str]:
    """The tables' names: those of the deployed stack, else as `make dev` makes them."""
    stacks = engine.client("cloudformation", aws_url).describe_stacks()["Stacks"]
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in stacks
        if stack["StackName"] == STACK
        for output in stack["Outputs"]
    }
    return {
        f"{kind.upper()}_TABLE": outputs.get(f"{resource}Name", kind)
        for kind, resource in engine.TABLES.items()
    }
