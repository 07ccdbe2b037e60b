"""Who gets an order: masked for staff, and told in full for a purpose that is on record."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.errors import Forbidden, InvalidRequest

ORDERS_MAX = 50  # of one look: its row in the audit log names them all, in less than 2 KB
HIDDEN = "****"


class Purpose(StrEnum):
    """What staff look at recipients for."""

    VIEW = "view"  # to answer a buyer
    EDIT = "edit"  # to send the order elsewhere
    PRINT = "print"  # packing lists
    SHIP = "ship"  # parcels, singly and by table


OF_ONE_ORDER = (Purpose.VIEW, Purpose.EDIT)  # what every role does; the others are work of shippers


def check_look(purpose: Purpose, orders: int, *, may_ship: bool) -> None:
    """Return only when somebody may look at so many recipients for this purpose.

    Raises Forbidden, InvalidRequest.
    """
    if purpose not in OF_ONE_ORDER:
        if not may_ship:
            raise Forbidden("只有可以发货的员工才能打印配货单、下载发货表格。")
    elif orders > 1:
        raise InvalidRequest("一次只能查看一个订单的收件信息。", field="order_ids")


def masked_name(name: str) -> str:
    """A name as strangers see it: 小*."""
    return f"{name[0]}*" if name else "拼友"


def masked_phone(phone: str) -> str:
    """A number as lists show it: 138****8000."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"


def masked(address: Mapping[str, str]) -> dict[str, str]:
    """An address as it is told without a look: the region stays, what finds a person does not."""
    return {name: _masked(name, value) for name, value in address.items()}


def _masked(name: str, value: str) -> str:
    match name:
        case "name":
            return masked_name(value)
        case "phone":
            return masked_phone(value)
        case "province" | "city" | "district":
            return value
        case _:
            return HIDDEN
