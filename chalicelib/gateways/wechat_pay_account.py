"""A merchant's account at WeChat Pay, as its secret describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from chalicelib.gateways.accounts import history_of, retired_keys
from chalicelib.gateways.payment import Channel


@dataclass(frozen=True)
class WechatAccount:
    """One merchant's account. Hashable, so that caches can key on it.

    Direct mode: the merchant signs for itself. Partner mode (`sub_mchid` is set): a service
    provider signs for it, and mchid, appid and every key are the provider's.

    `public_keys`: (serial, PEM) of WeChat Pay's keys; a serial is PUB_KEY_ID_… or that of a
    platform certificate. While WeChat Pay moves a merchant from one to the other, both sign.
    """

    mchid: str
    appid: str
    serial_no: str  # of the certificate that requests are signed with
    private_key: str = field(repr=False)  # PEM
    api_v3_key: str = field(repr=False)  # 32 bytes; opens callbacks
    public_keys: tuple[tuple[str, str], ...] = field(repr=False)
    sub_mchid: str = ""
    sub_appid: str = ""  # the merchant's own app; empty when buyers pay in the provider's
    official_account_appid: str = ""  # the merchant's, for pages inside WeChat; empty: has none
    retired_apps: tuple[str, ...] = ()  # official accounts of before: payments name them for ever
    # Replaced ones: what WeChat Pay made with them may still be on its way.
    retired_api_v3_keys: tuple[str, ...] = field(default=(), repr=False)
    retired_public_keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def from_secret(cls, secret: Mapping[str, Any], *, now_s: int = 0) -> "WechatAccount":
        """The account that is believed at `now_s`. Raises msgspec.ValidationError when a part is
        missing or of the wrong shape."""
        parts = msgspec.convert(secret, _DirectSecret | _PartnerSecret)
        retired = retired_keys(secret, now_s)
        return cls(
            serial_no=parts.serial_no,
            private_key=parts.private_key,
            api_v3_key=parts.api_v3_key,
            public_keys=tuple(sorted(parts.public_keys.items())),
            retired_api_v3_keys=tuple(one.api_v3_key for one in retired if one.api_v3_key),
            retired_public_keys=tuple(key for one in retired for key in one.public_keys),
            official_account_appid=parts.official_account_appid,
            retired_apps=history_of(secret).apps,
            **parts.names(),
        )

    @property
    def is_partner(self) -> bool:
        return bool(self.sub_mchid)

    @property
    def running_appid(self) -> str:
        """The app that buyers pay in: their openids are of it, and it asks them for the money."""
        return self.sub_appid or self.appid

    def app_in(self, channel: Channel) -> str:
        """The app that buyers pay in; empty where they cannot."""
        official = channel is Channel.OFFICIAL_ACCOUNT
        return self.official_account_appid if official else self.running_appid

    def openid_name_in(self, channel: Channel) -> str:
        """What WeChat Pay calls a buyer's openid: it has to know of which app it is."""
        if self.is_partner:
            return "sub_openid" if self.app_names_in(channel)["sub_appid"] else "sp_openid"
        return "openid"

    def app_names_in(self, channel: Channel) -> dict[str, str]:
        """How WeChat Pay names the app of a payment there; the merchant's own may be empty."""
        own = channel is Channel.OFFICIAL_ACCOUNT
        return self.app_names | ({self._own_app_name: self.app_in(channel)} if own else {})

    @property
    def merchant_names(self) -> dict[str, str]:
        """How WeChat Pay names the merchant in what it says, by field."""
        if self.is_partner:
            return {"sp_mchid": self.mchid, "sub_mchid": self.sub_mchid}
        return {"mchid": self.mchid}

    @property
    def app_names(self) -> dict[str, str]:
        """How WeChat Pay names the app, by field; sub_appid is absent where there is none."""
        if self.is_partner:
            return {"sp_appid": self.appid, "sub_appid": self.sub_appid}
        return {"appid": self.appid}

    @property
    def _own_app_name(self) -> str:
        return "sub_appid" if self.is_partner else "appid"

    def app_names_of(self, said: object) -> dict[str, str]:
        """How what WeChat Pay said must name the app: any that payments are or were made in."""
        named = str(getattr(said, self._own_app_name))
        official = named in self._official_apps
        return self.app_names | ({self._own_app_name: named} if official else {})

    @property
    def apps(self) -> tuple[str, ...]:
        """Every app that payments are or were made in."""
        return (self.appid, self.running_appid, *self._official_apps)

    @property
    def _official_apps(self) -> list[str]:
        return [app for app in (self.official_account_appid, *self.retired_apps) if app]


_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Keys(msgspec.Struct, tag_field="mode", kw_only=True):
    official_account_appid: str = ""
    serial_no: _Text
    private_key: _Text
    api_v3_key: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{32}$")]
    public_keys: Annotated[dict[str, str], msgspec.Meta(min_length=1)]


class _DirectSecret(_Keys, tag="direct", kw_only=True):
    mchid: _Text
    appid: _Text

    def names(self) -> dict[str, str]:
        return {"mchid": self.mchid, "appid": self.appid}


class _PartnerSecret(_Keys, tag="partner", kw_only=True):
    sp_mchid: _Text
    sp_appid: _Text
    sub_mchid: _Text
    sub_appid: str = ""

    def names(self) -> dict[str, str]:
        return {
            "mchid": self.sp_mchid,
            "appid": self.sp_appid,
            "sub_mchid": self.sub_mchid,
            "sub_appid": self.sub_appid,
        }
