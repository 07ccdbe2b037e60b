"""Accounts at the gateways as staff write them: every problem of one, with its field.

`content` has the parts of the parameter that keeps it (see the account of each gateway). Keys are
parsed as they will be when they are used, and with the checks that are left out then.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.domain.account_words import OF_MINI_PROGRAM
from chalicelib.domain.product import Problem, trouble
from chalicelib.gateways.accounts import OFFICIAL_ACCOUNT
from chalicelib.gateways.rsa_signatures import (
    certificate,
    certified_key,
    private_key,
    public_key,
)
from chalicelib.gateways.wechat_pay_signatures import CERTIFICATE, PUBLIC_KEY_PREFIX
from chalicelib.text import Text

_Key = rsa.RSAPrivateKey | rsa.RSAPublicKey

RSA_BITS_MIN = 2048
PUBLIC_KEYS_MAX = 5

# What a part looks like, and what to tell who wrote something else.
_FORMS: Mapping[str, tuple[str, str]] = {
    "mchid": (r"[0-9]{8,10}", "商户号是 8 到 10 位数字。"),
    "sp_mchid": (r"[0-9]{8,10}", "服务商商户号是 8 到 10 位数字。"),
    "sub_mchid": (r"[0-9]{8,10}", "子商户号是 8 到 10 位数字。"),
    "appid": (r"wx[0-9A-Za-z]{16}", "AppID 以 wx 开头，共 18 位字母和数字。"),
    "sp_appid": (r"wx[0-9A-Za-z]{16}", "服务商 AppID 以 wx 开头，共 18 位字母和数字。"),
    "sub_appid": (r"(wx[0-9A-Za-z]{16})?", "子商户 AppID 以 wx 开头，共 18 位；没有就留空。"),
    OFFICIAL_ACCOUNT: (
        r"(wx[0-9A-Za-z]{16})?",
        "公众号 AppID 以 wx 开头，共 18 位；没有公众号就留空。",
    ),
    "serial_no": (r"[0-9A-Fa-f]{40}", "证书序列号是 40 位十六进制数，在商户平台「API 安全」查看。"),
    "api_v3_key": (r"[!-~]{32}", "APIv3 密钥是 32 位字母和数字，在商户平台「API 安全」里设置。"),
    "app_secret": (r"[0-9A-Fa-f]{32}", "AppSecret 是 32 位，在小程序后台“开发管理”里查看。"),
    "secret_id": (r"[0-9A-Za-z]{16,64}", "SecretId 以 AKID 开头，在腾讯云「访问密钥」里查看。"),
    "secret_key": (r"[0-9A-Za-z]{16,64}", "SecretKey 是 32 位，在腾讯云「访问密钥」里查看。"),
    "sdk_app_id": (r"[0-9]{6,12}", "SDK AppID 是 14 开头的数字，在短信控制台「应用管理」里查看。"),
    "sign_name": (r"[^\u3010\u3011\s]{2,20}", "请填审核通过的签名内容，不带【】。"),
    "template_id": (r"[0-9]{3,12}", "模板 ID 是数字，在短信控制台「正文模板管理」里查看。"),
    "region": (r"ap-[a-z]{3,20}", "地域如 ap-guangzhou。"),
    "app_id": (r"[0-9]{16}", "支付宝应用的 APPID 是 16 位数字。"),
    "seller_id": (r"2088[0-9]{12}", "商家账号（PID）以 2088 开头，共 16 位数字。"),
}
_NO_KEY = "不是有效的{what}。请连同开头和结尾的“-----”行完整粘贴。"
_SHORT_KEY = "{what}太短，至少要 {min} 位的 RSA 密钥。"


def problems_of_wechat_pay(content: Mapping[str, Any]) -> list[Problem]:
    """Of wechat_pay_account's parameter; empty when it can be used."""
    return [
        *_of_forms(content, but=("mode", "private_key", "public_keys")),
        *_of_key("private_key", "商户 API 私钥", lambda: private_key(content["private_key"])),
        *_of_wechats_keys(content["public_keys"]),
        *_of_official_account(content),
    ]


def problems_of_alipay(content: Mapping[str, Any]) -> list[Problem]:
    """Of alipay_account's parameter; empty when it can be used."""
    problems = [
        *_of_forms(content, but=("private_key", "alipay_public_key")),
        *_of_key("private_key", "应用私钥", lambda: private_key(content["private_key"])),
        *_of_public_key("alipay_public_key", "支付宝公钥", content["alipay_public_key"]),
    ]
    if not problems:
        own = private_key(content["private_key"], check=False).public_key()
        if own == public_key(content["alipay_public_key"]):
            words = "这是应用公钥。请填支付宝公钥：在“接口加签方式”里上传应用公钥后，由支付宝给出。"
            problems.append(trouble("alipay_public_key", words))
    return problems


def problems_of_wechat_login(content: Mapping[str, Any]) -> list[Problem]:
    """Of wechat_login's parameter; empty when it can be used."""
    return list(_of_forms(content))


def problems_of_sms(content: Mapping[str, Any]) -> list[Problem]:
    """Of sms's parameter; empty when it can be used."""
    return list(_of_forms(content))


def _of_forms(content: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> Iterator[Problem]:
    for name, value in content.items():
        if name in but:
            continue
        pattern, words = _FORMS[name]
        if not re.fullmatch(pattern, value):
            yield trouble(name, words)


def _of_public_key(field: str, what: str, text: str) -> Iterator[Problem]:
    return _of_key(field, what, lambda: public_key(text))


def _of_key(field: str, what: str, load: Callable[[], _Key]) -> Iterator[Problem]:
    try:
        bits = load().key_size
    except ValueError:
        yield trouble(field, Text(_NO_KEY, what=Text(what)))
        return
    if bits < RSA_BITS_MIN:
        yield trouble(field, Text(_SHORT_KEY, what=Text(what), min=RSA_BITS_MIN))


def _of_official_account(content: Mapping[str, Any]) -> Iterator[Problem]:
    official = content.get(OFFICIAL_ACCOUNT)
    if official and official in (content.get("appid"), content.get("sub_appid")):
        yield trouble(OFFICIAL_ACCOUNT, OF_MINI_PROGRAM)


def _of_wechats_keys(keys: Mapping[str, str]) -> Iterator[Problem]:
    if not 1 <= len(keys) <= PUBLIC_KEYS_MAX:
        yield trouble("public_keys", Text("请填 1 到 {max} 把微信支付公钥。", max=PUBLIC_KEYS_MAX))
    for serial, text in keys.items():
        field = f"public_keys.{serial}"
        if CERTIFICATE in text:
            yield from _of_certificate(field, serial, text)
        elif re.fullmatch(PUBLIC_KEY_PREFIX + r"[0-9A-Za-z]{1,64}", serial):
            yield from _of_public_key(field, "微信支付公钥", text)
        else:
            words = Text(
                "公钥 ID 以 {prefix} 开头，在商户平台「API 安全」里查看。", prefix=PUBLIC_KEY_PREFIX
            )
            yield trouble(field, words)


def _of_certificate(field: str, serial: str, text: str) -> Iterator[Problem]:
    """Of a platform certificate, which older merchants have in place of a public key."""
    try:
        issued = certificate(text)
    except ValueError:
        yield trouble(field, Text(_NO_KEY, what=Text("平台证书")))
        return
    try:
        certified_key(issued)
    except ValueError:
        yield trouble(field, "平台证书里不是 RSA 公钥，请重新下载。")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,40}", serial) or int(serial, 16) != issued.serial_number:
        yield trouble(field, "序列号与平台证书不一致，请核对。")
