"""A merchant and its settings."""

from typing import Any

from chalicelib.domain.ids import new_id
from chalicelib.errors import Changed, Conflict, NotFound
from chalicelib.services.audit import audit
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.catalogue import MerchantItem, stored

PAY_BY_S = 600
PAY_BY_MIN_S = 60
PAY_BY_MAX_S = 3600
NAME_MAX = 30
PHONE_MAX = 20


def create(
    name: str,
    *,
    service_phone: str = "",
    pay_by_s: int = PAY_BY_S,
    merchant_id: str | None = None,
    staff: str = "system",
    now_s: int,
) -> MerchantItem:
    """Create a merchant, with its audit row. Raises Conflict when the id is taken.

    pay_by_s: how long a seat is held for payment.
    """
    merchant_id = merchant_id or new_id()
    settings = {"name": name, "service_phone": service_phone, "pay_by_s": pay_by_s}
    item = MerchantItem.at(merchant_id, **settings)
    with transaction() as writes:
        writes.put(item, refuse=lambda old: Conflict("这个商家编号已存在，请换一个。"))
        subject = f"merchant#{merchant_id}"
        audit(writes, merchant_id, staff, "merchant_created", subject, {}, settings, now_s)
    return item


def read(merchant_id: str) -> MerchantItem:
    """The merchant as it is now. Raises NotFound."""
    item = stored(MerchantItem.at(merchant_id))
    if item is None:
        raise NotFound("没有找到这家店铺。")
    return item


def change_settings(
    merchant_id: str,
    *,
    name: str,
    service_phone: str,
    pay_by_s: int,
    revision: int,
    staff: str,
    now_s: int,
) -> MerchantItem:
    """Change the settings that were read at `revision`; a repeat changes nothing more.

    Orders placed before keep their pay-by time. Raises NotFound, Changed or Busy.
    """
    after: dict[str, Any] = {"name": name, "service_phone": service_phone, "pay_by_s": pay_by_s}

    def step() -> MerchantItem:
        item = read(merchant_id)
        before = {field: getattr(item, field) for field in after}
        if before == after:
            return item
        if item.revision != revision:
            raise Changed
        with transaction() as writes:
            writes.update(
                item,
                [
                    MerchantItem.revision.add(1),
                    *(getattr(MerchantItem, field).set(value) for field, value in after.items()),
                ],
                condition=MerchantItem.revision == revision,
                refuse=LostRace,
            )
            subject = f"merchant#{merchant_id}"
            audit(writes, merchant_id, staff, "settings_changed", subject, before, after, now_s)
        return read(merchant_id)

    return retried(step)
