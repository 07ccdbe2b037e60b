"""Open a shop: `python -m infra.new_merchant --stage prod --stack tuan-prod --name … --owner …`.

Writes the stage's own keys when it has none yet, the merchant's WeChat and Alipay accounts when
they are given, the merchant, and its owner's account. A repeat with the same --merchant-id
finishes what was cut off, and changes nothing that is there but those accounts. A password that
is made here is for the first login alone, which chooses another.

With --reset-password, an owner who has forgotten theirs gets another first password.

The credentials are those of the AWS command line (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …);
the tables are found by the stack's outputs, or named by CATALOGUE_TABLE and RECORDS_TABLE.
"""

import argparse
import getpass
import json
import os
import re
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.ids import ID_LENGTH, new_id
from infra import stage_environment
from infra.stage_environment import UnknownTables

PASSWORD = "OWNER_PASSWORD"  # the environment variable that brings it without a terminal
ACCOUNTS = (
    "wechat-pay",
    "wechat-login",
    "wechat-account",
    "alipay",
    "sms",
)  # parameters; a shop may lack any
STAGE_KEYS = ("session-key", "id-key")
KEY_BYTES = 32
TABLES = ("CATALOGUE_TABLE", "RECORDS_TABLE")


class CannotOpen(Exception):
    """The shop was not opened; the message says what to mend."""


def write_stage_keys(ssm: Any, prefix: str) -> None:
    """Write the keys of sessions and ids, unless they are there: changing them logs everybody
    out and lets nobody find their buyer again."""
    for name in STAGE_KEYS:
        value = secrets.token_hex(KEY_BYTES)
        try:
            ssm.put_parameter(Name=f"{prefix}/{name}", Value=value, Type="SecureString")
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ParameterAlreadyExists":
                raise


def write_accounts(ssm: Any, prefix: str, merchant_id: str, accounts: Mapping[str, Any]) -> None:
    """Write the merchant's accounts (of ACCOUNTS) at WeChat and Alipay, over what is there. An
    account that another one replaces is kept, as the console keeps it."""
    for name, value in accounts.items():
        for parameter, content in _to_write(ssm, prefix, merchant_id, name, value):
            ssm.put_parameter(
                Name=f"{prefix}/{parameter}",
                Value=json.dumps(content),
                Type="SecureString",
                Tier="Intelligent-Tiering",  # two keys in PEM pass the standard tier's 4 KB
                Overwrite=True,
            )


def _to_write(
    ssm: Any, prefix: str, merchant_id: str, name: str, new: Mapping[str, Any]
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """(parameter, content) of what becomes of an account and of the one before."""
    from chalicelib import clock
    from chalicelib.services.people import payment_account_history

    parameter = f"merchants/{merchant_id}/{name}"
    try:
        answer = ssm.get_parameter(Name=f"{prefix}/{parameter}", WithDecryption=True)
        now = json.loads(answer["Parameter"]["Value"])
    except (ClientError, ValueError):  # there is none, or none that can be read
        return [(parameter, new)]
    if name not in payment_account_history.IDENTITIES or not isinstance(now, dict):
        return [(parameter, new)]
    base = payment_account_history.account_to_update(merchant_id, name, now, new)
    whole = payment_account_history.with_history(
        merchant_id, name, now, base, new, now_s=clock.now_s()
    )
    return payment_account_history.parameters(merchant_id, name, now, whole)


def open_shop(
    merchant_id: str, name: str, *, owner: str, password: str, must_change: bool = False
) -> None:
    """Create the merchant and its owner's account, each unless it is there.

    must_change: the first login has to choose another password. The environment names the tables
    and the stage. Raises CannotOpen.
    """
    # Imported late: the app reads its settings from the environment once, on import.
    from chalicelib import clock
    from chalicelib.domain.rights import Role
    from chalicelib.errors import Conflict
    from chalicelib.services.people import merchants, staff

    now_s = clock.now_s()
    try:
        merchants.create(name, merchant_id=merchant_id, now_s=now_s)
    except Conflict:
        merchants.read(merchant_id)
    try:
        staff.add(
            merchant_id,
            owner,
            name="店主",
            role=Role.OWNER.value,
            password=password,
            staff="system",
            now_s=now_s,
            must_change=must_change,
        )
    except Conflict as refusal:
        raise CannotOpen(f"账号 {owner} 已存在，没有改动它的密码。") from refusal


def reset_password(merchant_id: str, owner: str) -> str:
    """Another first password for somebody who has forgotten theirs. Raises CannotOpen.

    Their sessions end, their second step is removed, a lock-out is lifted.
    """
    from chalicelib import clock
    from chalicelib.errors import NotFound
    from chalicelib.services.people import staff_accounts

    try:
        return staff_accounts.reset_password(
            merchant_id,
            owner,
            seed=secrets.token_hex(KEY_BYTES),
            staff="system",
            now_s=clock.now_s(),
        )
    except NotFound as missing:
        raise CannotOpen(f"没有找到账号 {owner}，请核对商家编号和账号。") from missing


def check_account(owner: str, password: str) -> None:
    """Raises CannotOpen for a username or a password that nobody may have."""
    from chalicelib.services.people import staff

    if not re.fullmatch(staff.USERNAME_PATTERN, owner):
        raise CannotOpen("账号要有 3 到 32 个字符，可用小写字母、数字和 _ -，以字母或数字开头。")
    if not staff.PASSWORD_MIN <= len(password) <= staff.PASSWORD_MAX:
        raise CannotOpen(f"密码要有 {staff.PASSWORD_MIN} 到 {staff.PASSWORD_MAX} 个字符。")


def _read_accounts(file: str | None) -> dict[str, Any]:
    """The accounts of a JSON file; "-" is the standard input. Raises CannotOpen."""
    if file is None:
        return {}
    try:
        accounts = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text())
    except ValueError:
        raise CannotOpen(f"{file} 不是有效的 JSON。") from None
    if not isinstance(accounts, dict) or not set(accounts) <= set(ACCOUNTS):
        raise CannotOpen(f"{file} 应为 JSON 对象，键可有 {'、'.join(ACCOUNTS)}。")
    return accounts


def _password() -> tuple[str, bool]:
    """(password, whether it was made here and has to be told)."""
    if PASSWORD in os.environ:
        return os.environ[PASSWORD], False
    if not sys.stdin.isatty():
        return secrets.token_urlsafe(12), True
    typed = getpass.getpass("店主密码（回车则自动生成）：")
    return (typed, False) if typed else (secrets.token_urlsafe(12), True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="在一个环境里开一家店：商家、店主账号、微信和支付宝账户。"
    )
    parser.add_argument("--stage", required=True, help="环境，如 dev、prod")
    parser.add_argument("--name", help="店名")
    parser.add_argument(
        "--reset-password",
        action="store_true",
        help="不开店，只给忘了密码的店主一个新的首次密码；要写 --merchant-id",
    )
    parser.add_argument("--owner", required=True, help="店主登录用的账号")
    parser.add_argument("--stack", help="CloudFormation 的栈名，用来查数据表的名字")
    parser.add_argument("--merchant-id", help="商家编号，22 位字母数字；不填则新生成")
    parser.add_argument(
        "--accounts",
        help=f"JSON 文件，键可有 {'、'.join(ACCOUNTS)}，值为各自的账户；- 为标准输入",
    )
    options = parser.parse_args()
    if not options.reset_password and not options.name:
        parser.error("开店要写店名：--name")
    if options.reset_password and not options.merchant_id:
        parser.error("重置密码要写商家编号：--merchant-id")
    try:
        said = _reset(options) if options.reset_password else _open(options)
    except (CannotOpen, UnknownTables, BotoCoreError, ClientError) as failure:
        sys.exit(str(failure))
    sys.stdout.write(f"{said}\n")


def _open(options: argparse.Namespace) -> str:
    accounts = _read_accounts(options.accounts)
    password, told = _password()
    session = botocore.session.get_session()
    prefix = stage_environment.prepare(session, options.stage, options.stack, TABLES)
    merchant_id = options.merchant_id or new_id()
    if not re.fullmatch(f"[0-9A-Za-z]{{{ID_LENGTH}}}", merchant_id):
        raise CannotOpen(f"商家编号要有 {ID_LENGTH} 位字母或数字。")
    check_account(options.owner, password)
    ssm = session.create_client("ssm")
    write_stage_keys(ssm, prefix)
    write_accounts(ssm, prefix, merchant_id, accounts)
    open_shop(merchant_id, options.name, owner=options.owner, password=password, must_change=told)
    account = f"商家编号 {merchant_id}，店主账号 {options.owner}"
    told_password = f"，首次密码 {password}（只显示这一次，登录后要换）" if told else ""
    return f"已开店：{options.name}，{account}{told_password}"


def _reset(options: argparse.Namespace) -> str:
    session = botocore.session.get_session()
    stage_environment.prepare(session, options.stage, options.stack, TABLES)
    password = reset_password(options.merchant_id, options.owner)
    return f"账号 {options.owner} 的首次密码是 {password}（只显示这一次，登录后要换）"


if __name__ == "__main__":
    main()
