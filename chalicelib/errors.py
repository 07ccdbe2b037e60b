"""Every refusal the system can give: its HTTP status, its stable code, its words.

ServiceError                     500 internal_error
├ InvalidRequest                 400 invalid_request
│ ├ AuthCodeRefused              400 auth_code_refused
│ ├ PhoneCodeRefused             400 phone_code_refused
│ ├ StateRefused                 400 state_refused
│ └ PictureRefused               400 picture_refused (domain.picture)
├ Unauthenticated                401 unauthenticated
│ ├ WrongPassword                401 wrong_password
│ ├ TotpNeeded                   401 totp_needed
│ ├ WrongTotp                    401 wrong_totp
│ ├ AccountDisabled              401 account_disabled
│ └ SessionSuperseded            401 session_superseded
├ CallbackRefused                401 callback_refused (gateways.payment)
├ Forbidden                      403 forbidden
│ └ PasswordChangeNeeded         403 password_change_needed
├ NotFound                       404 not_found
├ Conflict                       409 conflict
│ ├ AccountInUse                 409 account_in_use
│ ├ GroupFull                    409 group_full
│ ├ GroupClosed                  409 group_closed
│ ├ SoldOut                      409 sold_out
│ ├ LimitReached                 409 limit_reached
│ ├ TooFastNow                   409 too_fast_now
│ ├ UnpaidOrdersLimit            409 unpaid_orders_limit
│ ├ OrderClosed                  409 order_closed
│ ├ AlreadyPaid                  409 already_paid
│ ├ TooLittleTime                409 too_little_time
│ ├ PaymentMethodOff             409 payment_method_off
│ ├ PaymentChannelOff            409 payment_channel_off
│ ├ PayerUnknown                 409 payer_unknown
│ ├ ActivityClosed               409 activity_closed
│ ├ ActivityOverlaps             409 activity_overlaps
│ ├ Changed                      409 changed
│ ├ LastOwner                    409 last_owner
│ ├ IdentityTaken                409 identity_taken
│ ├ NotDeliverable               409 not_deliverable
│ ├ StoreClosed                  409 store_closed
│ ├ PriceChanged                 409 price_changed
│ ├ NewBuyersOnly                409 new_buyers_only
│ ├ MembersOnly                  409 members_only
│ ├ CouponRefused                409 coupon_refused
│ ├ PointsRefused                409 points_refused
│ ├ CouponCodeRefused            409 coupon_code_refused
│ ├ CouponsGone                  409 coupons_gone
│ ├ AfterSaleRefused             409 after_sale_refused (domain.after_sale)
│ ├ ShippingRefused              409 shipping_refused (domain.shipping)
│ ├ PickupRefused                409 pickup_refused (domain.pickup)
│ ├ WrongAmount                  409 wrong_amount (services.captures)
│ ├ WrongAccount                 409 wrong_account (services.captures)
│ ├ RefundedTwice                409 refunded_twice (services.money.refunds)
│ ├ RefundUnderWay               409 refund_under_way (services.money.refund_recovery)
│ └ AlreadyDealtWith             409 already_dealt_with (services.money.review_queue)
├ MethodNotAllowed               405 method_not_allowed
├ BodyTooLarge                   413 body_too_large
├ UnsupportedMediaType           415 unsupported_media_type
├ IdempotencyMismatch            422 idempotency_mismatch
├ TooManyRequests                429 too_many_requests
├ GatewayFailed                  502 gateway_failed
├ PaymentUnsettled               503 payment_unsettled
└ Busy                           503 busy

Codes are part of the API: never renamed once released. Messages are for people and say what to
do next. They are written in Chinese and given in English to who asks for it (see text.py).
"""

from collections.abc import Mapping

from chalicelib.text import Text

Detail = str | int | list[str] | list[int] | list[dict[str, str]]


class ServiceError(Exception):
    """A refusal the caller can act on.

    `code` is part of the API and never changes once released; `message` is for
    people and may. `details` holds JSON values only.
    """

    status = 500
    code = "internal_error"
    default_message = "系统出了点问题，请稍后再试。"

    def __init__(self, message: str | None = None, **details: Detail) -> None:
        self.message = Text(message or self.default_message)
        self.details: Mapping[str, Detail] = details
        super().__init__(f"{self.code}: {self.message} {details or ''}".rstrip())


class InvalidRequest(ServiceError):
    status, code = 400, "invalid_request"
    default_message = "提交的内容有误，请检查后再试。"


class AuthCodeRefused(InvalidRequest):
    code = "auth_code_refused"
    default_message = "支付宝授权已失效，请重新点击付款。"


class PhoneCodeRefused(InvalidRequest):
    code = "phone_code_refused"
    default_message = "验证码不正确或已过期，请核对后再试，或重新获取。"


class StateRefused(InvalidRequest):
    """Of a login on another's page: too late, used, or begun in another browser or shop."""

    code = "state_refused"
    default_message = "这次登录已失效，请重新登录。"


class Unauthenticated(ServiceError):
    status, code = 401, "unauthenticated"
    default_message = "请先登录。"


class WrongPassword(Unauthenticated):
    code = "wrong_password"
    default_message = "账号或密码不正确。"


class TotpNeeded(Unauthenticated):
    code = "totp_needed"
    default_message = "请输入身份验证器上的 6 位验证码。"


class WrongTotp(Unauthenticated):
    code = "wrong_totp"
    default_message = "验证码不正确或已用过，请等身份验证器显示下一个后再输入。"


class AccountDisabled(Unauthenticated):
    code = "account_disabled"
    default_message = "账号已停用，请联系店主。"


class SessionSuperseded(Unauthenticated):
    """Of a buyer who was merged with another since: logging in again is silent in most clients."""

    code = "session_superseded"
    default_message = "账号信息已更新，请重新登录后再试。"


class Forbidden(ServiceError):
    status, code = 403, "forbidden"
    default_message = "没有权限进行这个操作。"


class PasswordChangeNeeded(Forbidden):
    code = "password_change_needed"
    default_message = "请先设置自己的新密码，再进行其他操作。"


class NotFound(ServiceError):
    status, code = 404, "not_found"
    default_message = "没有找到要看的内容。"


class Conflict(ServiceError):
    status, code = 409, "conflict"
    default_message = "内容已经变化，请刷新后再试。"


class AccountInUse(Conflict):
    code = "account_in_use"
    default_message = "还有订单没有结束。收货、退款或售后处理完，就可以注销。"


class GroupFull(Conflict):
    code = "group_full"
    default_message = "来晚一步，这个团已满。可以参加其他团，或自己开一个。"


class GroupClosed(Conflict):
    code = "group_closed"
    default_message = "这个团已结束。可以参加其他团，或自己开一个。"


class SoldOut(Conflict):
    code = "sold_out"
    default_message = "库存不足，可以看看其他规格。"


class LimitReached(Conflict):
    code = "limit_reached"
    default_message = "已达到每人限购件数。可以单独购买。"


class TooFastNow(Conflict):
    code = "too_fast_now"
    default_message = "这一分钟的名额抢完了，下一分钟再来。"


class UnpaidOrdersLimit(Conflict):
    code = "unpaid_orders_limit"
    default_message = "还有订单没付款，请先付款或取消，再下新的订单。"


class OrderClosed(Conflict):
    code = "order_closed"
    default_message = "订单已关闭，请重新下单。"


class AlreadyPaid(Conflict):
    code = "already_paid"
    default_message = "订单已付款，不能进行这个操作。"


class TooLittleTime(Conflict):
    code = "too_little_time"
    default_message = "时间不够了，来不及付款。请取消这笔订单，再重新下单。"


class PaymentMethodOff(Conflict):
    code = "payment_method_off"
    default_message = "店铺暂停了这种付款方式，请换一种方式付款，或联系店主。"


class PaymentChannelOff(Conflict):
    code = "payment_channel_off"
    default_message = "店铺还不能在这里用这种方式收款，请换一种方式付款，或联系店主。"


class PayerUnknown(Conflict):
    code = "payer_unknown"
    default_message = "还不知道由谁付款。请在这里重新登录一次，再付款。"


class ActivityClosed(Conflict):
    code = "activity_closed"
    default_message = "活动现在不能开团，看看其他正在拼的好物。"


class ActivityOverlaps(Conflict):
    code = "activity_overlaps"
    default_message = "这个商品在同一时间已有活动。请换时间，或先结束那个活动。"


class Changed(Conflict):
    code = "changed"
    default_message = "别人刚刚改过这项内容。请刷新后再决定是否保存。"


class LastOwner(Conflict):
    code = "last_owner"
    default_message = "店铺至少要有一位在用的店主。请先让另一位员工成为店主并登录一次。"


class IdentityTaken(Conflict):
    code = "identity_taken"
    default_message = "这个账号或手机号已属于另一个买家，请换一个，或用原来的方式登录。"


class NotDeliverable(Conflict):
    code = "not_deliverable"
    default_message = "这件商品暂不配送到这个地区，请换一个收货地址。"


class StoreClosed(Conflict):
    code = "store_closed"
    default_message = "这家门店暂时不能自提，请换一家门店，或选择快递。"


class PriceChanged(Conflict):
    code = "price_changed"
    default_message = "价格有变化，请确认后再提交。"


class NewBuyersOnly(Conflict):
    code = "new_buyers_only"
    default_message = "仅限在本店还没有买过的新客。你已买过，可以自己开团，或单独购买。"


class MembersOnly(Conflict):
    code = "members_only"
    default_message = "只有会员可以参加，看看其他活动，或单独购买。"


class CouponRefused(Conflict):
    code = "coupon_refused"
    default_message = "这张优惠券现在不能用，请重新选择。"


class PointsRefused(Conflict):
    code = "points_refused"
    default_message = "积分现在不能这样用，请重新选择。"


class CouponCodeRefused(Conflict):
    code = "coupon_code_refused"
    default_message = "没有这个兑换码，请核对后重新输入。"


class CouponsGone(Conflict):
    """None of a template can be claimed: they are all claimed, or no more are given out."""

    code = "coupons_gone"
    default_message = "来晚一步，这张优惠券已经领完了。"


class MethodNotAllowed(ServiceError):
    status, code = 405, "method_not_allowed"
    default_message = "没有这个操作，请刷新页面后再试。"


class UnsupportedMediaType(ServiceError):
    status, code = 415, "unsupported_media_type"
    default_message = "提交的格式不对，请刷新页面后再试。"


class BodyTooLarge(ServiceError):
    status, code = 413, "body_too_large"
    default_message = "提交的内容太大。"


class IdempotencyMismatch(ServiceError):
    status, code = 422, "idempotency_mismatch"
    default_message = "这个请求编号已用于另一项内容，请刷新页面后重新提交。"


class TooManyRequests(ServiceError):
    status, code = 429, "too_many_requests"
    default_message = "操作太频繁，请稍后再试。"


class GatewayFailed(ServiceError):
    status, code = 502, "gateway_failed"
    default_message = "微信或支付宝暂时没有回应，请稍后再试。"


class PaymentUnsettled(ServiceError):
    """Nobody knows yet whether a payment was made; nothing was changed. Safe to ask again."""

    status, code = 503, "payment_unsettled"
    default_message = "付款结果还没有确认，暂时不能操作。请几秒后再试；已付款的会显示已付款。"
    retry_after_s = 3  # gateways know by then, as a rule

    def __init__(self) -> None:
        super().__init__(retry_after_s=self.retry_after_s)


class Busy(ServiceError):
    status, code = 503, "busy"
    default_message = "人太多了，请再试一次。"
