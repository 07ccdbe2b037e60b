"""A merchant's account at Alipay, as its secret describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from chalicelib.gateways.accounts import retired_keys


@dataclass(frozen=True)
class AlipayAccount:
    """One merchant's account at Alipay. Hashable, so that caches can key on it.

    Keys are PEM, or the bare base64 that Alipay's own key tool gives.
    """

    app_id: str
    seller_id: str  # the merchant's own number, 2088…
    private_key: str = field(repr=False)
    alipay_public_key: str = field(repr=False)
    # Replaced ones: what Alipay signed with them may still be on its way.
    retired_public_keys: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_secret(cls, secret: Mapping[str, Any], *, now_s: int = 0) -> "AlipayAccount":
        """The account that is believed at `now_s`. Raises msgspec.ValidationError when a part is
        missing or of the wrong shape."""
        parts = msgspec.convert(secret, _Secret)
        retired = [one.alipay_public_key for one in retired_keys(secret, now_s)]
        return cls(
            parts.app_id,
            parts.seller_id,
            parts.private_key,
            parts.alipay_public_key,
            tuple(filter(None, retired)),
        )


_Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{16,32}$")]
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Secret(msgspec.Struct):
    app_id: _Number
    seller_id: _Number
    private_key: _Text
    alipay_public_key: _Text
