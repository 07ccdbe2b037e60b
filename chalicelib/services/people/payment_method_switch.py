"""Which payment methods a shop offers: a stopped one begins no new payment, all else goes on."""

from pynamodb.expressions.update import Action

from chalicelib.services.people import merchants
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.shop import MerchantItem


def switch(merchant_id: str, method: str, offered: bool, *, staff: str, now_s: int) -> None:
    """Begin new payments with a method, or stop; audited. In use everywhere after
    shop_cache.MERCHANT_KEPT_S. A repeat changes nothing. Raises NotFound, Busy."""
    name = method.replace("-", "_")

    def step() -> None:
        item = merchants.read(merchant_id)
        if (name not in (item.payments_off or ())) is offered:
            return
        stopped = MerchantItem.payments_off.contains(name)
        action: Action = MerchantItem.payments_off.delete({name})
        if not offered:
            stopped, action = ~stopped, MerchantItem.payments_off.add({name})
        with transaction() as writes:
            condition = MerchantItem.pk.exists() & stopped
            writes.update(item, [action], condition=condition, refuse=LostRace)
            subject = f"payment_account#{method}"
            what = "payment_method_resumed" if offered else "payment_method_stopped"
            before, after = {"offered": not offered}, {"offered": offered}
            audit(writes, merchant_id, staff, what, subject, before, after, now_s)

    retried(step)
