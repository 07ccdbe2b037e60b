"""Freight templates: what sending costs, by which a product's orders are counted.

A removed template is offered no more, and what names it goes on by it: buyers pay no other
freight than before until staff give the product another template.
"""

from typing import Any

from chalicelib.domain import freight
from chalicelib.domain.freight import Template
from chalicelib.domain.product import raise_problems
from chalicelib.errors import InvalidRequest
from chalicelib.services.catalogue import crud
from chalicelib.services.catalogue.crud import Kind
from chalicelib.tables.shop import FreightItem

NAME_MAX = 20
KIND = Kind(FreightItem, "运费模板", most=50, kept_for_ever=True)


def everything(merchant_id: str) -> list[FreightItem]:
    """All templates that have not been removed, by name."""
    return crud.everything(KIND, merchant_id)


def read(merchant_id: str, template_id: str) -> FreightItem:
    """The template as it is now. Raises NotFound."""
    return crud.read(KIND, merchant_id, template_id)


def create(
    merchant_id: str,
    template_id: str,
    name: str,
    template: Template,
    *,
    body_hash: str = "",
    staff: str,
    now_s: int,
) -> FreightItem:
    """As crud.create. Raises InvalidRequest with all problems, too."""
    fields = _fields(name, template)
    return crud.create(
        KIND, merchant_id, template_id, fields, body_hash=body_hash, staff=staff, now_s=now_s
    )


def change(
    merchant_id: str,
    template_id: str,
    name: str,
    template: Template,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> FreightItem:
    """As crud.change; for orders placed from now on. Raises InvalidRequest, too."""
    fields = _fields(name, template)
    return crud.change(
        KIND, merchant_id, template_id, fields, revision=revision, staff=staff, now_s=now_s
    )


def remove(merchant_id: str, template_id: str, *, staff: str, now_s: int) -> None:
    """Offer a template no more. Raises NotFound or Busy."""
    crud.remove(KIND, merchant_id, template_id, staff=staff, now_s=now_s)


def require(merchant_id: str, template_id: str) -> None:
    """Raises InvalidRequest when a product names a template that the merchant does not have."""
    if crud.find(KIND, merchant_id, template_id) is None:
        raise InvalidRequest("没有这个运费模板，请重新选择。", field="freight_template_id")


def _fields(name: str, template: Template) -> dict[str, Any]:
    raise_problems(freight.problems_of(template))
    return {"name": name.strip(), "rules": freight.stored_of(template)}
