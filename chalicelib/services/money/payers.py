"""Who pays, and where: the id that a gateway knows the buyer by in the app that they pay in."""

from dataclasses import dataclass

from chalicelib.errors import PayerUnknown, PaymentChannelOff
from chalicelib.gateways.directory import WECHAT_PAY, payer_of
from chalicelib.gateways.payment import Channel, PaymentGateway
from chalicelib.tables.buyers import BuyerItem


@dataclass(frozen=True)
class Payer:
    """ip: as the API sees the buyer. code: a login code of the gateway's client that is good once;
    empty where the buyer's logins tell who they are."""

    channel: Channel = Channel.MINI_PROGRAM
    ip: str = ""
    code: str = ""


IN_THE_MINI_PROGRAM = Payer()


def payer_id_of(gateway: PaymentGateway, payer: Payer, buyer: BuyerItem) -> str:
    """The buyer's id at the gateway, by the code or as their logins tell; "" where the gateway asks
    them itself. Raises PaymentChannelOff, PayerUnknown, AuthCodeRefused."""
    app = gateway.payer_app(payer.channel)
    if app is None:
        raise PaymentChannelOff
    if payer.code:
        return payer_of(buyer.merchant_id, gateway.method, payer.code)
    if not app:
        return ""
    openid = openid_of(buyer, app)
    if not openid and gateway.method == WECHAT_PAY and payer.channel is Channel.MINI_PROGRAM:
        openid = buyer.openid
    if not openid:
        raise PayerUnknown
    return openid


def openid_of(buyer: BuyerItem, app: str) -> str:
    """The buyer's id in an app; "" when they have never logged in there."""
    known: str | None = buyer.openids.as_dict().get(app) if buyer.openids else None
    return known or ""
