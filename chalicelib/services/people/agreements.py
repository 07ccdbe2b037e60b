"""A shop's agreements, and which version of them a buyer consented to.

Every version is an item that never changes, so that the text of a consent can be read for ever.
Which ones are in force stands in one item. Another version signs nobody out: clients ask again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.agreements import (
    TITLES,
    USUAL,
    AgreementKind,
    digest,
    key_of,
    to_accept,
    usual,
)
from chalicelib.errors import Changed
from chalicelib.services.people import buyers, merchants
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.buyers import ConsentsItem
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import AgreementItem, AgreementsItem


@dataclass(frozen=True)
class Agreement:
    kind: AgreementKind
    version: int
    text: str
    usual: str  # the text that comes with the product


def read(merchant_id: str) -> tuple[list[Agreement], int]:
    """(the agreements in force, their revision; 0 before the first change). Raises NotFound."""
    shop, pointer = merchants.read(merchant_id), _pointer(merchant_id)
    versions = pointer.versions_in_force
    keys = [AgreementItem.at(merchant_id, kind, n) for kind, n in versions.items() if n != USUAL]
    found = CatalogueItem.batch_get([(key.pk, key.sk) for key in keys], consistent_read=True)
    texts = {item.sk: item.text for item in found if isinstance(item, AgreementItem)}
    agreements = []
    for kind, version in versions.items():
        text = usual(
            kind, shop=shop.name, business_name=shop.business_name, phone=shop.service_phone
        )
        own = texts.get(AgreementItem.at(merchant_id, kind, version).sk, text)
        agreements.append(Agreement(kind, version, own, text))
    return agreements, pointer.revision


def change(
    merchant_id: str,
    texts: Mapping[AgreementKind, str],
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> tuple[list[Agreement], int]:
    """Put other texts in force, which were read at `revision`; a blank one is the usual text.

    A text that stays keeps its version; a repeat changes nothing more. Raises Changed or Busy.
    """

    def step() -> None:
        before, known = read(merchant_id)
        wanted = {one.kind: texts.get(one.kind, one.text).strip() or one.usual for one in before}
        changed = [one for one in before if wanted[one.kind].strip() != one.text.strip()]
        if not changed:
            return
        if known != revision:
            raise Changed
        after = {one.kind: one.version + 1 for one in changed}
        versions = {one.kind.value: after.get(one.kind, one.version) for one in before}
        pointer = AgreementsItem.revision
        with transaction() as writes:
            writes.update(
                AgreementsItem.at(merchant_id),
                [
                    AgreementsItem.kind.set(AgreementsItem),
                    AgreementsItem.merchant_id.set(merchant_id),
                    AgreementsItem.versions.set(versions),
                    pointer.set(known + 1),
                ],
                condition=(pointer == known) if known else pointer.does_not_exist(),
                refuse=LostRace,
            )
            for kind, version in after.items():
                more = {"text": wanted[kind], "staff": staff, "at_s": now_s}
                writes.put(AgreementItem.at(merchant_id, kind, version, **more), refuse=LostRace)
            old = {TITLES[one.kind]: one.version for one in changed}
            new = {TITLES[kind]: version for kind, version in after.items()}
            subject = f"merchant#{merchant_id}"
            audit(writes, merchant_id, staff, "agreements_changed", subject, old, new, now_s)

    retried(step)
    return read(merchant_id)


def consent(
    merchant_id: str,
    ids: Sequence[str],
    accepted: Iterable[tuple[AgreementKind, int]],
    *,
    now_s: int,
) -> list[AgreementKind]:
    """Record that the buyer accepts these versions now; return what is still to be accepted.

    ids: of the person, the buyer's first. What was accepted before keeps its time. Raises Changed
    for a version that is not in force, SessionSuperseded for a closed account.
    """
    agreements, _ = read(merchant_id)
    in_force = {key_of(one.kind, one.version): one for one in agreements}
    keys = {key_of(kind, version) for kind, version in accepted}

    def step() -> list[AgreementKind]:
        _, before = buyers.read_with_consents(merchant_id, ids)
        if not keys <= in_force.keys():
            raise Changed("协议刚刚更新了，请重新打开页面，阅读后再同意。")
        new = {key: {"at_s": now_s, "digest": digest(in_force[key].text)} for key in keys}
        if not keys <= set(before):
            _record(merchant_id, ids[0], new)
        return to_accept({one.kind: one.version for one in agreements}, {*before, *keys})

    return retried(step)


def _record(merchant_id: str, buyer_id: str, new: Mapping[str, Mapping[str, Any]]) -> None:
    item = ConsentsItem.at(merchant_id, buyer_id)
    item = get_or_none(item) or item
    revision = ConsentsItem.revision
    with transaction() as writes:
        buyers.check_open(writes, merchant_id, buyer_id)
        writes.update(
            item,
            [
                ConsentsItem.kind.set(ConsentsItem),
                ConsentsItem.given.set({**new, **item.given.as_dict()}),
                revision.set(item.revision + 1),
            ],
            condition=(revision == item.revision) if item.revision else revision.does_not_exist(),
            refuse=LostRace,
        )


def _pointer(merchant_id: str) -> AgreementsItem:
    pointer = AgreementsItem.at(merchant_id, revision=0)
    return get_or_none(pointer) or pointer
