"""What logins of buyers take and give."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.api.schemas import RequestModel, ResponseModel, Seconds
from chalicelib.domain import phone_code

MobilePhone = Annotated[
    str, Meta(pattern=phone_code.PHONE, description="a mobile number of the mainland")
]


class LoginRequest(RequestModel, frozen=True, kw_only=True):
    code: Annotated[str, Meta(min_length=1, max_length=128, description="of wx.login")]


class PhoneCodeRequest(RequestModel, frozen=True, kw_only=True):
    phone: MobilePhone
    device_id: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z_-]{8,64}\Z",
            description="made by the client, which keeps it; limits how many codes it may ask for",
        ),
    ]


class PhoneCodeSent(ResponseModel, frozen=True, kw_only=True):
    expires_at_s: Seconds
    again_at_s: Annotated[int, Meta(description="when another code may be asked for")]


class PhoneLoginRequest(RequestModel, frozen=True, kw_only=True):
    phone: MobilePhone
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}\Z", description="as it was sent to the phone")]


Replaces = Annotated[
    bool,
    Meta(description="in the place of the phone that the buyer has proven, which is free then"),
]


class PhoneProof(PhoneLoginRequest, frozen=True, kw_only=True):
    replaces: Replaces = False


class WechatPhoneProof(RequestModel, frozen=True, kw_only=True):
    code: Annotated[
        str, Meta(min_length=1, max_length=128, description="of a button with getPhoneNumber")
    ]
    replaces: Replaces = False


class AuthorizationKey(RequestModel, frozen=True, kw_only=True):
    """What the client says alike when it goes to the page and when it has come back."""

    way: Literal["wechat_account", "alipay"]
    return_path: Annotated[
        str,
        Meta(
            pattern=r"^/([0-9A-Za-z_.~-][0-9A-Za-z/_.~-]{0,198})?\Z",
            description="of the shop's pages, to come back to: no host, no query, no fragment",
        ),
    ]
    nonce: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z_-]{16,64}\Z",
            description="a secret that the client makes, keeps and tells nobody else",
        ),
    ]


class AuthorizationRequest(AuthorizationKey, frozen=True, kw_only=True):
    profile: Annotated[
        bool, Meta(description="in WeChat, ask for name and picture: only after the buyer's tap")
    ] = False


class Authorization(ResponseModel, frozen=True, kw_only=True):
    address: Annotated[str, Meta(description="where to send the browser")]
    expires_at_s: Seconds


class AuthorizedLoginRequest(AuthorizationKey, frozen=True, kw_only=True):
    code: Annotated[
        str,
        Meta(min_length=1, max_length=128, description="`code` of WeChat, `auth_code` of Alipay"),
    ]
    state: Annotated[str, Meta(min_length=1, max_length=128)]
