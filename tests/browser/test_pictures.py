"""Pictures that staff choose for a product: all of them arrive, in their order."""

from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import Shop
from tests.browser.users import only
from tests.fixtures.images import photograph

ACCEPTANCE = "**/v1/merchant/pictures/*/acceptance"


def test_every_picture_of_several_chosen_at_once_is_kept(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/products/new")
    files = [jpeg(f"{n}.jpg", 40 + n) for n in range(10)]

    held: list[Route] = []
    page.route(ACCEPTANCE, lambda it: it.continue_() if held else held.append(it))
    with page.expect_request(ACCEPTANCE):
        page.get_by_label("商品图片").set_input_files(files[:3])
    expect(page.get_by_text("正在上传第 1 张，共 3 张")).to_be_visible()
    expect(page.get_by_role("button", name="保存商品")).to_be_disabled()
    only(page, held).continue_()
    shown = page.locator("ul.pictures li .thumb")
    expect(page.get_by_role("button", name="添加图片").first).to_be_enabled()
    expect(page.get_by_text("第 3 张", exact=True)).to_be_visible()
    expect(shown).to_have_count(3)

    page.get_by_label("商品图片").set_input_files(files[3:])
    expect(page.get_by_role("alert").filter(has_text="9.jpg")).to_contain_text("最多 9 张")
    expect(shown).to_have_count(9)


def jpeg(name: str, width: int) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photograph(width)}
