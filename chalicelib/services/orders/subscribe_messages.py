"""Subscribe messages: what a buyer was told, sent to their WeChat as well, where they agreed to it.

The message carries a due marker from the write that made it. Sending takes one from what the buyer
agreed to and says so in the message, in one transaction, before WeChat is asked: so a message is
sent once at most, and whoever is cut off in between leaves one that is not sent (the buyer still
finds it in the shop). What WeChat says to have refused is given back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from pynamodb.expressions.update import Action

from chalicelib import observability
from chalicelib.domain.subscribe_message import KIND_OF, SubscribeKind, data_of
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Busy, GatewayFailed
from chalicelib.gateways.wechat_api import NotSubscribed, TokenRefused, WechatApi, WechatRefused
from chalicelib.gateways.wechat_api import wechat_api as api_of
from chalicelib.services import timeouts
from chalicelib.services.people import identities, shop_cache, subscriptions, wechat_tokens
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction, update_one
from chalicelib.tables.buyers import MessageItem, SubscriptionsItem
from chalicelib.tables.trade_item import TradeItem, not_due


class State(StrEnum):
    SENDING = "sending"  # or it was cut off
    SENT = "sent"
    UNKNOWN = "unknown"  # WeChat's answer was lost: it may have been sent
    NOT_SUBSCRIBED = "not_subscribed"  # WeChat knows of no consent
    REFUSED = "refused"  # the template or its keywords are not as the shop says


@dataclass(frozen=True)
class _Delivery:
    """What is sent, and by what consent. agreed: with one left of the template."""

    api: WechatApi
    template_id: str
    openid: str
    page: str
    data: Mapping[str, Any]
    agreed: SubscriptionsItem


def process(merchant_id: str, pk: str, sk: str, *, now_s: int) -> None:
    """Send a message that is due, where its buyer agreed to it. Safe to run twice and at once.

    Raises Busy or GatewayFailed when there is no access token yet: it stays due.
    """

    def step() -> tuple[MessageItem, _Delivery] | None:
        message = get_or_none(MessageItem(pk, sk))
        if message is None or message.due_at_s is None or message.due_at_s > now_s:
            return None
        if message.wechat_state is not None:
            _finish(message, State.UNKNOWN)  # cut off: WeChat may have been asked
            return None
        delivery = _delivery(merchant_id, message, now_s)
        if delivery is None:
            _finish(message, None)
            return None
        wechat_tokens.token_of(merchant_id, delivery.api, now_s=now_s)  # before anything is taken
        _take(message, delivery, now_s)
        return message, delivery

    taken = retried(step)
    if taken is not None:
        _send(merchant_id, *taken, now_s)


def _delivery(merchant_id: str, message: MessageItem, now_s: int) -> _Delivery | None:
    """None when there is nobody to send it to, nothing left to send it with, or no longer any
    sense in it."""
    kind, appid = KIND_OF.get(TextKey(message.text_key)), subscriptions.appid_of(merchant_id)
    template = shop_cache.subscribe_templates(merchant_id, now_s).get(kind) if kind else None
    too_late = now_s - (message.listed_at_s or 0) > timeouts.SUBSCRIBE_MESSAGE_S
    if template is None or appid is None or too_late:
        return None
    buyer = identities.root(merchant_id, message.buyer_id)
    identity_id = subscriptions.identity_of(buyer, appid)
    if identity_id is None:
        return None
    agreed = get_or_none(SubscriptionsItem.at(merchant_id, identity_id))
    openid = buyer.openids.as_dict().get(appid)
    if agreed is None or not openid or not agreed.left.as_dict().get(template.template_id):
        return None
    data = data_of(
        template,
        TextKey(message.text_key),
        message.facts.as_dict(),
        order=message.short_no,
        shop=shop_cache.merchant(merchant_id, now_s).name,
        at_s=message.at_s,
    )
    api = api_of(merchant_id)
    return _Delivery(api, template.template_id, openid, _page(message), data, agreed)


def _take(message: MessageItem, delivery: _Delivery, now_s: int) -> None:
    """Take one of what the buyer agreed to, for this message. Raises LostRace."""
    again_at_s = now_s + timeouts.UNDER_WAY_S
    with transaction() as writes:
        writes.update(
            message,
            [
                MessageItem.wechat_state.set(State.SENDING.value),
                TradeItem.due_at_s.set(again_at_s),
            ],
            condition=MessageItem.wechat_state.does_not_exist() & message.marker_as_read(),
            refuse=LostRace,
        )
        left, template_id = delivery.agreed.left.as_dict(), delivery.template_id
        subscriptions.write(writes, delivery.agreed, left | {template_id: left[template_id] - 1})
    message.due_at_s = again_at_s


def _send(merchant_id: str, message: MessageItem, delivery: _Delivery, now_s: int) -> None:
    try:
        wechat_tokens.ask(
            merchant_id,
            delivery.api,
            lambda token: delivery.api.send_subscribe_message(
                token,
                openid=delivery.openid,
                template_id=delivery.template_id,
                page=delivery.page,
                data=delivery.data,
            ),
            now_s=now_s,
        )
    except NotSubscribed as refusal:
        none_left = _none_left(delivery)
        _end(message, delivery, State.NOT_SUBSCRIBED, none_left, errcode=refusal.errcode)
    except WechatRefused as refusal:
        if refusal.is_temporary or isinstance(refusal, TokenRefused):
            _try_later(message, delivery, now_s)
            return
        words = {"item": f"{message.pk} {message.sk}", "errcode": refusal.errcode}
        observability.logger.warning("subscribe message refused", extra={"details": words})
        observability.count("SubscribeMessagesRefused")
        given_back = _one_more(delivery)
        _end(message, delivery, State.REFUSED, given_back, errcode=refusal.errcode)
    except Busy:  # there was no time, or no token: WeChat was not asked
        _try_later(message, delivery, now_s)
    except GatewayFailed:
        _finish(message, State.UNKNOWN)
    else:
        _finish(message, State.SENT)


def _finish(message: MessageItem, state: State | None) -> None:
    """End the message's due work; what was taken for it is spent."""
    actions: list[Action] = [MessageItem.wechat_state.set(state.value)] if state else []
    condition = message.marker_as_read()
    update_one(message, [*actions, *not_due()], condition=condition, refuse=Busy)


def _try_later(message: MessageItem, delivery: _Delivery, now_s: int) -> None:
    again_at_s = now_s + timeouts.SUBSCRIBE_MESSAGE_AGAIN_S
    _end(message, delivery, None, _one_more(delivery), again_at_s=again_at_s)


_Change = Callable[[dict[str, int]], dict[str, int]]


def _end(
    message: MessageItem,
    delivery: _Delivery,
    state: State | None,
    change: _Change,
    *,
    errcode: int = 0,
    again_at_s: int | None = None,
) -> None:
    """Write what WeChat said, and change what is left of what the buyer agreed to; again_at_s:
    when the message is due once more."""
    outcome: list[Action] = [MessageItem.wechat_state.remove()]
    if state is not None:
        outcome = [
            MessageItem.wechat_state.set(state.value),
            MessageItem.wechat_errcode.set(str(errcode)),
        ]
    marker = not_due() if again_at_s is None else [TradeItem.due_at_s.set(again_at_s)]

    def step() -> None:
        agreed = get_or_none(delivery.agreed)  # gone when the account was closed since
        with transaction() as writes:
            writes.update(
                message,
                [*outcome, *marker],
                condition=message.marker_as_read(),
                refuse=LostRace,
            )
            if agreed is not None:
                subscriptions.write(writes, agreed, change(agreed.left.as_dict()))

    retried(step)


def _one_more(delivery: _Delivery) -> _Change:
    template_id, most = delivery.template_id, subscriptions.LEFT_MAX
    return lambda left: left | {template_id: min(most, left.get(template_id, 0) + 1)}


def _none_left(delivery: _Delivery) -> _Change:
    """Nothing is left of a template that WeChat refuses; unless the buyer agreed again since."""
    template_id = delivery.template_id
    before = delivery.agreed.left.as_dict()[template_id]
    return lambda left: left if left.get(template_id, 0) >= before else left | {template_id: 0}


def _page(message: MessageItem) -> str:
    """The page of the mini-program that the message is about; its name never changes."""
    of_group = (SubscribeKind.RESULT, SubscribeKind.REMINDER)
    if message.group_id and KIND_OF[TextKey(message.text_key)] in of_group:
        return f"pages/group/group?{urlencode({'g': message.group_id})}"
    if message.order_id is None:
        return f"pages/activity/activity?{urlencode({'a': message.activity_id})}"
    return f"pages/order/order?{urlencode({'id': message.order_id})}"
