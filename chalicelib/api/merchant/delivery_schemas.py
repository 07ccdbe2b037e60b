"""What staff send and receive about stores and freight. Amounts are whole fen.

What a freight template may say is decided by the domain, which tells all problems at once.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from chalicelib.api.merchant.catalogue_schemas import Revision
from chalicelib.api.schemas import RequestModel
from chalicelib.domain.freight import REGIONS_MAX
from chalicelib.domain.phone import SERVICE_PATTERN
from chalicelib.services.catalogue import freight_templates, stores
from chalicelib.services.people import merchants

Amount = Annotated[int, Meta(ge=0, le=999_999_999)]
Province = Annotated[str, Meta(min_length=1, max_length=10, description="浙江, 内蒙古 …")]
HoursText = Annotated[str, Meta(min_length=1, max_length=stores.HOURS_TEXT_MAX)]


class HoursInput(RequestModel, frozen=True):
    days: Annotated[HoursText, Meta(description="周一至周五")]
    hours: Annotated[HoursText, Meta(description="9:00–21:00")]


class StoreInput(RequestModel, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=stores.NAME_MAX)]
    address: Annotated[str, Meta(min_length=1, max_length=stores.ADDRESS_MAX)]
    phone: Annotated[str, Meta(max_length=merchants.PHONE_MAX, pattern=SERVICE_PATTERN)]
    hours: Annotated[list[HoursInput], Meta(max_length=stores.HOURS_MAX)] = field(
        default_factory=list
    )
    is_open: Annotated[bool, Meta(description="False: it takes no new orders.")] = True


class StoreChange(StoreInput, frozen=True, kw_only=True):
    revision: Revision


class Store(msgspec.Struct, frozen=True):
    store_id: str
    name: str
    address: str
    phone: str
    hours: list[HoursInput]
    is_open: bool
    revision: int


class StoreList(msgspec.Struct, frozen=True):
    items: list[Store]


class FreightRule(RequestModel, frozen=True):
    """`first` pieces (or grams) cost `first_fen`, each further step of `next` costs `next_fen`;
    nothing from `free_from_fen` of goods or `free_from_units` pieces on. 0: never free."""

    first: Amount
    first_fen: Amount
    next: Amount
    next_fen: Amount
    free_from_fen: Amount = 0
    free_from_units: Amount = 0


class FreightRegion(RequestModel, frozen=True):
    provinces: Annotated[list[Province], Meta(max_length=REGIONS_MAX)]
    rule: FreightRule


class FreightInput(RequestModel, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=freight_templates.NAME_MAX)]
    measure: Literal["piece", "weight"]
    rule: Annotated[FreightRule, Meta(description="Of every province that is named nowhere else.")]
    regions: Annotated[list[FreightRegion], Meta(max_length=REGIONS_MAX)] = field(
        default_factory=list
    )
    not_delivered: Annotated[list[Province], Meta(max_length=REGIONS_MAX)] = field(
        default_factory=list
    )


class FreightChange(FreightInput, frozen=True, kw_only=True):
    revision: Revision


class FreightTemplate(msgspec.Struct, frozen=True):
    template_id: str
    name: str
    measure: str
    rule: FreightRule
    regions: list[FreightRegion]
    not_delivered: list[str]
    revision: int


class FreightTemplateList(msgspec.Struct, frozen=True):
    items: list[FreightTemplate]


class CodeRequest(RequestModel, frozen=True):
    code: Annotated[str, Meta(pattern=r"^[0-9]{8}\Z", description="8 digits")]


class Pickup(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be collected, as it is told to who hands it over."""

    order_id: str
    short_no: str
    status: str
    status_text: str
    title: str
    spec: str
    image: str
    quantity: Annotated[int, Meta(description="Units that were bought.")]
    to_hand_over: Annotated[int, Meta(description="Fewer, when units are back on sale.")]
    handed_over: int
    total_fen: int
    buyer_name: str
    buyer_phone: Annotated[str, Meta(description="Masked.")]
    remark: str
    store_name: str
    ready_at_s: int | None
    received_at_s: int | None
