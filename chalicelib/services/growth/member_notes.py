"""What staff note about a member, for each other. Each id of a person keeps what was noted under
it, so that a merge moves nothing."""

from collections.abc import Iterable, Sequence

from chalicelib.domain.member import NOTES_MAX, Note
from chalicelib.errors import IdempotencyMismatch
from chalicelib.services.growth import member_tags
from chalicelib.services.people import buyers, identities
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, as_read, retried, transaction
from chalicelib.tables.members import MemberNotesItem
from chalicelib.tables.trade_item import buyer_pk


def add(
    merchant_id: str, buyer_id: str, note_id: str, text: str, *, staff: str, now_s: int
) -> None:
    """Note something about a member; the oldest of NOTES_MAX makes room. The same note_id again
    changes nothing. The audit log says that something was noted, not what: notes end with the
    account. Raises NotFound, IdempotencyMismatch for another text under it, Busy."""

    def step() -> None:
        member_tags.of_member(merchant_id, buyer_id)
        person = identities.root(merchant_id, buyer_id)
        items = read(merchant_id, person.ids)
        written = next((it for it in of_person(items) if it.note_id == note_id), None)
        if written is not None:
            if written.text != text:
                raise IdempotencyMismatch
            return
        item = next((it for it in items if it.buyer_id == person.buyer_id), None)
        notes = list(item.notes) if item else []
        note = {"note_id": note_id, "at_s": now_s, "staff": staff, "text": text}
        after = MemberNotesItem.at(
            merchant_id,
            person.buyer_id,
            notes=[*notes, note][-NOTES_MAX:],
            revision=(item.revision if item else 0) + 1,
        )
        with transaction() as writes:
            buyers.check_as_read(writes, person)
            as_it_was = as_read(MemberNotesItem.revision, item.revision if item else None)
            writes.put(after, condition=as_it_was, refuse=LostRace)
            subject = f"member#{person.buyer_id}"
            audit(writes, merchant_id, staff, "member_noted", subject, {}, {}, now_s)

    retried(step)


def read(merchant_id: str, ids: Sequence[str]) -> list[MemberNotesItem]:
    """What is stored under these ids, as it is now, in one call."""
    keys = [(buyer_pk(merchant_id, one), "member_notes") for one in ids]
    return list(MemberNotesItem.batch_get(keys, consistent_read=True))


def of_person(items: Iterable[MemberNotesItem]) -> list[Note]:
    """The latest notes of all ids of a person, the newest first."""
    notes = [note for item in items for note in item.view()]
    return sorted(notes, key=lambda note: note.at_s)[::-1][:NOTES_MAX]  # of one second, too
