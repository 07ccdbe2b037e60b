"""What commands for a stage tell the app of it, which reads its environment once, on import."""

import os
from collections.abc import Collection
from typing import Any

TABLES = {
    "CATALOGUE_TABLE": "CatalogueTableName",
    "TRADE_TABLE": "TradeTableName",
    "RECORDS_TABLE": "RecordsTableName",
}


class UnknownTables(Exception):
    """Nobody says what the tables are called; the message says what to write."""


def prepare(session: Any, stage: str, stack: str | None, tables: Collection[str]) -> str:
    """Set what the app reads on import; returns the path of the stage's parameters.

    session: botocore's. tables: the variables that the command needs, of TABLES; the stack's
    outputs name them, or they are set already. Raises UnknownTables.
    """
    prefix = f"/tuan/{stage}"
    os.environ |= {"STAGE": stage, "PARAMETERS_PREFIX": prefix}
    if stack is not None:
        found = session.create_client("cloudformation").describe_stacks(StackName=stack)
        outputs = {it["OutputKey"]: it["OutputValue"] for it in found["Stacks"][0]["Outputs"]}
        os.environ |= {variable: outputs[TABLES[variable]] for variable in tables}
    missing = [variable for variable in tables if variable not in os.environ]
    if missing:
        raise UnknownTables(f"不知道数据表的名字：请用 --stack，或设置 {'、'.join(missing)}。")
    return prefix
