"""What staff read when a gateway does not take their account, and what to do about it."""

from collections.abc import Mapping

from chalicelib.text import Text

ACCEPTED: Mapping[str, str] = {
    "wechat-pay": "微信支付认可商户号、证书序列号和私钥。APIv3 密钥要到收到付款通知时才用上。",
    "alipay": "支付宝认可 APPID 和应用私钥，支付宝公钥也与它的签名相符。",
    "wechat-login": "微信认可小程序的 AppID 和 AppSecret。",
    "wechat-account": "微信认可公众号的 AppID 和 AppSecret。",
    "sms": "腾讯云认可密钥。签名和模板要审核通过，验证码才发得出去。",
}
OTHER_APP = "小程序登录用的 AppID 与收款的 AppID 不同，买家会付不了款。请改成同一个小程序。"
OF_OFFICIAL_ACCOUNT = "这是公众号的 AppID，这里要填小程序的。"
OF_MINI_PROGRAM = "这是小程序的 AppID，这里要填公众号的。"
OTHER_ACCOUNT = "网店登录用的公众号与收款的公众号不同，买家在微信里付不了款。请改成同一个公众号。"

_NO_ANSWER = "平台没有回应。请过几分钟再检查一次；如果一直这样，请联系系统的维护人员。"
_WECHAT_PAY: Mapping[str, str] = {
    "SIGNERROR": "微信支付不认可签名。商户号、证书序列号和商户 API 私钥要是同一套，请核对。",
    "NOAUTH": "这个商户号没有权限。请核对商户号；服务商模式请核对子商户号与服务商的关系。",
    "PARAMERROR": "微信支付不认可商户号。请核对后重新保存。",
    "INVALIDREQUEST": "微信支付不认可商户号。请核对后重新保存。",
    "MCHNOTEXISTS": "商户号不存在，请核对。",
    "APPIDMCHIDNOTMATCH": "AppID 没有与商户号绑定。请在商户平台“产品中心 - AppID 账号管理”里绑定。",
    "private_key": "商户 API 私钥无法读取，请重新填写。",
    "public_keys": "微信支付公钥无法读取，请重新填写。",
    "signature": "回应的签名与微信支付公钥不符，请重新填写公钥。",
    "unknown_serial": "微信支付换了公钥。请在商户平台「API 安全」里查看，把新的公钥也填上。",
}
_ALIPAY: Mapping[str, str] = {
    "isv.invalid-signature": "支付宝不认可签名。应用私钥要与上传到支付宝的应用公钥是一对，请核对。",
    "isv.missing-signature-config": "支付宝里还没有上传应用公钥。请在“接口加签方式”里上传。",
    "isv.invalid-signature-type": "支付宝里的加签方式不是 RSA2，请改为 RSA2。",
    "isv.invalid-app-id": "APPID 不存在或还没有上线，请核对。",
    "isv.insufficient-isv-permissions": "应用没有开通需要的产品，请在支付宝开放平台开通。",
    "isv.app-status-error": "应用还没有上线或已停用，请在支付宝开放平台查看。",
    "private_key": "应用私钥无法读取，请重新填写。",
    "alipay_public_key": "支付宝公钥无法读取，请重新填写。",
    "signature": "回应的签名与支付宝公钥不符。请重新填写支付宝公钥（不是应用公钥）。",
    "unsigned": "支付宝的回应没有签名。请核对 APPID 和加签方式。",
}
_LOGIN: Mapping[str, str] = {
    "40013": "AppID 不存在，请核对。",
    "40125": "AppSecret 不正确。重置过的话，请填新的。",
    "40164": "微信不允许从这里调用。请在小程序后台的 IP 白名单里加上服务器的地址，或关闭白名单。",
}
_SMS: Mapping[str, str] = {
    "AuthFailure.SecretIdNotFound": "腾讯云没有这个 SecretId，请核对。",
    "AuthFailure.SignatureFailure": "SecretKey 与 SecretId 不是一对，请核对。",
    "AuthFailure.UnauthorizedOperation": "这个密钥没有发短信的权限。请在腾讯云「访问管理」里授权。",
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": "SDK AppID 不属于这个腾讯云账号，请核对。",
    "InvalidParameterValue.SdkAppIdNotExist": "SDK AppID 不存在，请核对。",
    "FailedOperation.SignatureIncorrectOrUnapproved": "签名不对或还没有通过审核，请核对。",
    "FailedOperation.TemplateIncorrectOrUnapproved": "模板不对或还没有通过审核，请核对。",
    "FailedOperation.InsufficientBalanceInSmsPackage": "短信套餐包用完了，请在腾讯云购买。",
}
_REFUSED: Mapping[str, Mapping[str, str]] = {
    "wechat-pay": _WECHAT_PAY,
    "alipay": _ALIPAY,
    "wechat-login": _LOGIN,
    "wechat-account": _LOGIN,
    "sms": _SMS,
}


def refused(method: str, reason: str) -> str:
    """What to do about a check that the gateway refused for `reason` (its own code, or ours)."""
    if reason == "no_answer" or reason.startswith("http_5"):
        return _NO_ANSWER
    other = Text(
        "平台没有接受这次检查（{reason}）。请在它的商家后台核对各项后再试。", reason=reason
    )
    return _REFUSED[method].get(reason, other)
