"""Proving a phone by WeChat, which knows it: by the code of the mini-program's phone button."""

import re

from chalicelib.domain import phone_code
from chalicelib.domain.identity import Identity, Way
from chalicelib.errors import InvalidRequest
from chalicelib.gateways.wechat_api import INVALID_CODES, WechatRefused, wechat_api
from chalicelib.services.people import buyers, wechat_tokens

CHINA = "86"


def prove(merchant_id: str, buyer_id: str, code: str, *, caller: str, now_s: int) -> Identity:
    """The identity that the number behind the code is. The code is used up.

    caller: the address that asks; its wrong codes are counted. Raises SessionSuperseded for a
    closed account, NotConfigured without a mini-program, InvalidRequest for a wrong or used code or
    a number of elsewhere, TooManyRequests when this caller guessed too often; GatewayFailed, Busy.
    """
    buyers.read_open(merchant_id, buyer_id)
    api = wechat_api(merchant_id)
    with buyers.counted(merchant_id, caller, now_s):
        try:
            known = wechat_tokens.ask(
                merchant_id, api, lambda token: api.phone_of(token, code), now_s=now_s
            )
        except WechatRefused as refusal:
            if refusal.errcode not in INVALID_CODES:
                raise
            raise InvalidRequest("授权已失效，请重新点一次。") from refusal
    number = known.pure_phone_number
    if known.country_code != CHINA or not re.fullmatch(phone_code.PHONE, number):
        raise InvalidRequest("微信里的不是中国大陆手机号，请改用短信验证码。")
    return Identity(Way.PHONE, number)
