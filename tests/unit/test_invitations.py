"""What becomes of an invitation, and what makes staff look at it."""

from dataclasses import replace

import pytest

from chalicelib.domain.invitations import Case, InvitationState, Verdict, Why, decide, doubts_of

PENDING, HELD, GRANTED, REFUSED, TAKEN_BACK = (
    InvitationState(name) for name in ("pending", "held", "granted", "refused", "taken_back")
)
READY = Case(PENDING, due=True)
HOME = {
    "name": "王小明",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "street": "文一西路 969 号",
}


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (READY, Verdict(GRANTED)),
        (replace(READY, due=False), Verdict(PENDING)),
        (replace(READY, limit=True), Verdict(REFUSED, Why.LIMIT)),
        (replace(READY, limit=True, due=False), Verdict(PENDING)),
        (replace(READY, doubts=(Why.SAME_PHONE,)), Verdict(HELD, None, (Why.SAME_PHONE,))),
        (replace(READY, state=HELD), Verdict(GRANTED)),
        (replace(READY, doubts=(Why.SAME_PHONE,), is_free=True), Verdict(REFUSED, Why.FREE)),
        (replace(READY, same_person=True, is_cycle=True), Verdict(REFUSED, Why.SELF)),
        (replace(READY, is_cycle=True), Verdict(REFUSED, Why.CYCLE)),
        (replace(READY, group_failed=True), Verdict(REFUSED, Why.FAILED)),
        (replace(READY, state=REFUSED, why=Why.FAILED), Verdict(GRANTED)),
        (replace(READY, state=REFUSED, why=Why.STAFF), Verdict(REFUSED, Why.STAFF)),
        (replace(READY, state=REFUSED, why=Why.CYCLE, over=True), Verdict(REFUSED, Why.CYCLE)),
        (replace(READY, state=GRANTED, closed=True, is_cycle=True, limit=True), Verdict(GRANTED)),
        (replace(READY, state=GRANTED, went_back=True), Verdict(TAKEN_BACK, Why.REFUNDED)),
        (replace(READY, state=GRANTED, same_person=True), Verdict(TAKEN_BACK, Why.SELF)),
        (replace(READY, state=TAKEN_BACK, why=Why.SELF), Verdict(TAKEN_BACK, Why.SELF)),
    ],
)
def test_an_invitation_becomes_what_its_order_and_its_people_make_of_it(
    case: Case, verdict: Verdict
) -> None:
    assert decide(case) == verdict


@pytest.mark.parametrize(
    ("known", "login", "doubts"),
    [
        ({}, "", ()),
        ({"street": "文一西路969号"}, "", (Why.SAME_ADDRESS,)),
        ({"street": "文一西路 970 号"}, "", ()),
        ({"phone": "13800138000"}, "", (Why.SAME_PHONE,)),
        ({}, "138****8000", (Why.SAME_PHONE,)),
    ],
)
def test_a_phone_or_an_address_of_the_inviters_is_for_staff_to_judge(
    known: dict[str, str], login: str, doubts: tuple[Why, ...]
) -> None:
    others = {**HOME, "phone": "13900000000", "street": "龙井路 1 号"} | known

    assert doubts_of(HOME, [others], login) == doubts
    assert doubts_of({"name": "到店", "phone": "13700000000"}, [HOME], "") == ()


def test_one_payer_of_both_is_for_staff_to_judge() -> None:
    assert doubts_of(HOME, [], "", payers={"p"}, known_payers={"p", "q"}) == (Why.SAME_PAYER,)
    assert doubts_of(HOME, [], "", payers={"p"}, known_payers={"q"}) == ()
    assert doubts_of(HOME, [], "", payers=set(), known_payers=set()) == ()
