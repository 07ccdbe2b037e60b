"""Accounts at the gateways: what owners send of them, and what is told. Keys are never told."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import RequestModel, ResponseModel, Seconds

Part = Annotated[str, Meta(max_length=64)]
Secret = Annotated[str, Meta(max_length=128)]
Key = Annotated[str, Meta(max_length=8192, description="PEM.")]
Revision = Annotated[int, Meta(ge=0, description="As read; 0: never changed here.")]


class Mode(StrEnum):
    DIRECT = "direct"  # the merchant signs for itself
    PARTNER = "partner"  # a service provider signs for it


class WechatPayChange(RequestModel, frozen=True, kw_only=True):
    """In direct mode mchid and appid, in partner mode those with sp_ and sub_."""

    mode: Mode
    serial_no: Part
    revision: Revision
    mchid: Part = ""
    appid: Part = ""
    sp_mchid: Part = ""
    sp_appid: Part = ""
    sub_mchid: Part = ""
    sub_appid: Part = ""
    official_account_appid: Annotated[
        Part, Meta(description="Of the shop's pages inside WeChat; empty: buyers cannot pay there.")
    ] = ""
    private_key: Annotated[Key | None, Meta(description="None: as it is.")] = None
    api_v3_key: Annotated[Secret | None, Meta(description="None: as it is.")] = None
    public_keys: Annotated[
        Annotated[dict[Part, Key | None], Meta(max_length=10)] | None,
        Meta(
            description="PUB_KEY_ID_… or serial number to PEM. None: all as they are; else exactly "
            "these, and one that is None as it is."
        ),
    ] = None


class AlipayChange(RequestModel, frozen=True, kw_only=True):
    app_id: Part
    seller_id: Part
    revision: Revision
    private_key: Annotated[Key | None, Meta(description="None: as it is.")] = None
    alipay_public_key: Annotated[Key | None, Meta(description="None: as it is.")] = None


class WechatLoginChange(RequestModel, frozen=True, kw_only=True):
    appid: Part
    revision: Revision
    app_secret: Annotated[Secret | None, Meta(description="None: as it is.")] = None


class SmsChange(RequestModel, frozen=True, kw_only=True):
    """An account at Tencent Cloud SMS. Its template takes the code and the minutes: {1} and {2}."""

    secret_id: Part
    sdk_app_id: Part
    sign_name: Part
    template_id: Part
    revision: Revision
    region: Part = "ap-guangzhou"
    secret_key: Annotated[Secret | None, Meta(description="None: as it is.")] = None


class Offered(RequestModel, frozen=True, kw_only=True):
    offered: Annotated[
        bool, Meta(description="False: no new payment is begun; what is under way goes on.")
    ]


class Open(ResponseModel, frozen=True, kw_only=True):
    """What still hangs on an account."""

    payments: Annotated[int, Meta(description="Attempts that may still be paid.")]
    refunds: Annotated[int, Meta(description="Refunds that are not done yet.")]
    troubles: Annotated[int, Meta(description="Of those: need a person.")]


class AccountParts(ResponseModel, frozen=True, kw_only=True):
    """Parts that the method does not have, or that are not filled in, are empty."""

    mode: str = ""
    mchid: str = ""
    appid: str = ""
    sp_mchid: str = ""
    sp_appid: str = ""
    sub_mchid: str = ""
    sub_appid: str = ""
    official_account_appid: str = ""
    serial_no: str = ""
    app_id: str = ""
    seller_id: str = ""
    secret_id: str = ""
    sdk_app_id: str = ""
    sign_name: str = ""
    template_id: str = ""
    region: str = ""


class EarlierAccount(AccountParts, frozen=True, kw_only=True):
    """An account of before, kept for what was begun with it."""

    since_s: Annotated[int | None, Meta(description="None: since ever.")]
    until_s: Seconds
    open: Open


class PaymentAccount(AccountParts, frozen=True, kw_only=True):
    method: Annotated[
        str, Meta(description="wechat-pay, alipay, wechat-login, wechat-account or sms")
    ]
    configured: bool
    as_saved: Annotated[
        bool,
        Meta(description="False: the last save was cut off, or it was changed elsewhere since."),
    ]
    key_serials: list[str]
    changed_at_s: Seconds | None
    changed_by: str | None
    revision: int
    offered: Annotated[
        bool, Meta(description="False: no new payment is begun with it; what is open goes on.")
    ] = True


class EarlierAccountList(ResponseModel, frozen=True, kw_only=True):
    present: Annotated[Open, Meta(description="What hangs on the account of now.")]
    items: list[EarlierAccount]
    complete: Annotated[bool, Meta(description="False: there may be more than was counted.")]


class PaymentAccountList(ResponseModel, frozen=True, kw_only=True):
    items: list[PaymentAccount]
    in_use_after_s: Annotated[
        int, Meta(description="Seconds after a change, then all of the system uses it.")
    ]


class AccountVerdict(ResponseModel, frozen=True, kw_only=True):
    accepted: bool
    reason: Annotated[str, Meta(description="The gateway's code, or ours; empty when accepted.")]
    words: str
