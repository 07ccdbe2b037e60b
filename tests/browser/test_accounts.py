"""Payment accounts in the browser: filled in once, then changed without their keys at hand."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import Page, expect

from chalicelib.services.people.payment_account_history import without_history
from infra.local import engine
from infra.local.system import STAGE
from infra.local.wechat_keys import key_pair, private_pem, public_pem
from tests.browser.conftest import Shop
from tests.browser.users import fill_login, opened

OURS, WECHATS, NEXT, ALIPAYS = (key_pair(name) for name in ("merchant", "wechat", "next", "alipay"))
FIRST, SECOND = "PUB_KEY_ID_0119000000012026", "PUB_KEY_ID_0119000000012027"
API_V3_KEY = "a1B2c3D4" * 4
KEPT = "已保存，留空则不变"


def test_an_account_at_wechat_pay_is_changed_without_pasting_its_keys(
    watched: Page, shop: Shop
) -> None:
    page, told = watched, answers(watched)
    merchant_id = new_shop(page, shop)
    begin(page, "填写 微信支付")
    fill(page, 商户号="1900000001", 小程序_AppID="wx0123456789abcdef")
    fill(page, 公众号_AppID="wxfedcba9876543210")
    fill(page, 商户_API_证书序列号="7A" * 20, APIv3_密钥=API_V3_KEY)
    page.get_by_label("商户 API 私钥").fill(private_pem(OURS))
    add_key(page, 0, FIRST, WECHATS)
    save(page)
    first = stored(shop, merchant_id, "wechat-pay")
    assert first == {
        "mode": "direct",
        "mchid": "1900000001",
        "appid": "wx0123456789abcdef",
        "official_account_appid": "wxfedcba9876543210",
        "serial_no": "7A" * 20,
        "private_key": private_pem(OURS).strip(),
        "api_v3_key": API_V3_KEY,
        "public_keys": {FIRST: public_pem(WECHATS).strip()},
    }

    begin(page, "修改 微信支付")
    for label in ("商户 API 私钥", "APIv3 密钥", "公钥内容（PEM）"):
        expect(page.get_by_label(label)).to_have_value("")
        expect(page.get_by_label(label)).to_have_attribute("placeholder", KEPT)
    expect(page.get_by_label("公钥 ID")).to_have_value(FIRST)
    expect(page.get_by_label("公钥 ID")).not_to_be_editable()
    fill(page, 商户号="1900000002")
    replace(page, "1900000001")
    assert stored(shop, merchant_id, "wechat-pay") == first | {"mchid": "1900000002"}

    begin(page, "修改 微信支付")
    page.get_by_role("button", name="再加一把公钥").click()
    add_key(page, 1, SECOND, NEXT)
    save(page)
    both = {FIRST: public_pem(WECHATS).strip(), SECOND: public_pem(NEXT).strip()}
    assert stored(shop, merchant_id, "wechat-pay")["public_keys"] == both

    begin(page, "修改 微信支付")
    page.get_by_role("button", name=f"删除 {FIRST}").click()
    save(page)
    after = stored(shop, merchant_id, "wechat-pay")
    assert after == first | {"mchid": "1900000002", "public_keys": {SECOND: both[SECOND]}}
    assert_untold(page, told, private_pem(OURS), API_V3_KEY)


def test_an_account_at_alipay_is_changed_without_pasting_its_keys(
    watched: Page, shop: Shop
) -> None:
    page, told = watched, answers(watched)
    merchant_id = new_shop(page, shop)
    begin(page, "填写 支付宝")
    fill(page, 应用_APPID="2021000000000001", 商家账号_PID="2088000000000001")
    page.get_by_label("应用私钥").fill(private_pem(OURS))
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator('[data-field="alipay_public_key"]')).to_contain_text("不是有效的支付宝公钥")
    page.get_by_label("支付宝公钥").fill(public_pem(ALIPAYS))
    save(page)
    first = stored(shop, merchant_id, "alipay")

    begin(page, "修改 支付宝")
    for label in ("应用私钥", "支付宝公钥"):
        expect(page.get_by_label(label)).to_have_value("")
        expect(page.get_by_label(label)).to_have_attribute("placeholder", KEPT)
    fill(page, 应用_APPID="2021000000000002")
    replace(page, "2021000000000001 2088000000000001")

    assert first["alipay_public_key"] == public_pem(ALIPAYS).strip()
    assert stored(shop, merchant_id, "alipay") == first | {"app_id": "2021000000000002"}
    expect(page.get_by_role("listitem").filter(has_text="2021000000000001")).to_contain_text(
        "没有未完成的付款和退款"
    )
    page.get_by_role("button", name="停用 支付宝").click()
    page.get_by_role("dialog").get_by_role("button", name="停用").click()
    expect(page.get_by_text("买家现在不能用这种方式付款")).to_be_visible()
    page.get_by_role("button", name="恢复使用 支付宝").click()
    page.get_by_role("dialog").get_by_role("button", name="恢复使用").click()
    expect(page.get_by_text("买家现在不能用这种方式付款")).to_have_count(0)
    assert_untold(page, told, private_pem(OURS))


def test_text_messages_and_an_official_account_are_filled_in_and_checked(
    watched: Page, shop: Shop
) -> None:
    page, told, secret = watched, answers(watched), "a1B2" * 8
    merchant_id = new_shop(page, shop)
    account = shop.system.sms.new_account(merchant_id)
    begin(page, "填写 短信验证码")
    fill(page, SecretId=account["secret_id"], SDK_AppID=account["sdk_app_id"])
    fill(page, 短信签名=f"【{account['sign_name']}】", 模板_ID=account["template_id"])
    page.get_by_label("SecretKey").fill(account["secret_key"])
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator('[data-field="sign_name"]')).to_contain_text("不带【】")
    fill(page, 短信签名=account["sign_name"])
    save(page)
    kept = account | {"region": "ap-guangzhou"}
    assert stored(shop, merchant_id, "sms") == kept
    page.get_by_role("button", name="检查 短信验证码").click()
    expect(page.get_by_text("腾讯云认可密钥")).to_be_visible()

    begin(page, "修改 短信验证码")
    expect(page.get_by_label("SecretKey")).to_have_attribute("placeholder", KEPT)
    fill(page, 模板_ID="449740")
    save(page)
    assert stored(shop, merchant_id, "sms") == kept | {"template_id": "449740"}
    begin(page, "填写 微信公众号登录")
    fill(page, 公众号_AppID="wx0123456789abcdef")
    page.get_by_label("AppSecret").fill(secret)
    save(page)

    known = {"appid": "wx0123456789abcdef", "app_secret": secret}
    assert stored(shop, merchant_id, "wechat-account") == known
    assert_untold(page, told, account["secret_key"], secret)


def answers(page: Page) -> list[str]:
    """What the API answers about accounts and in the audit log, from now on."""
    told: list[str] = []

    def keep(answer: Any) -> None:
        if answer.request.method != "OPTIONS" and "/v1/merchant/" in answer.url:
            told.append(answer.text())

    page.on("response", keep)
    return told


def assert_untold(page: Page, told: list[str], *secrets: str) -> None:
    page.get_by_role("link", name="操作日志").click()
    expect(page.get_by_text("修改收款或登录账户").first).to_be_visible()
    lines = [line for secret in secrets for line in secret.split()]
    everything = "".join([*told, page.content()])
    assert [line for line in lines if len(line) > 16 and line in everything] == []


def new_shop(page: Page, shop: Shop) -> str:
    """A shop without accounts, so that nobody else's money depends on them; its owner is in."""
    merchant_id, username, password = opened(shop)
    page.goto(f"{shop.url}#/login?shop={merchant_id}")
    fill_login(page, username, password)
    page.get_by_role("heading", name="首页").wait_for()
    return merchant_id


def begin(page: Page, button: str) -> None:
    page.get_by_role("link", name="收款、登录和短信", exact=True).click()
    page.get_by_role("button", name=button).click()


def fill(page: Page, **parts: str) -> None:
    """Plain fields by their labels, _ standing for a space."""
    for label, value in parts.items():
        page.get_by_role("textbox", name=label.replace("_", " ")).fill(value)


def add_key(page: Page, n: int, key_id: str, key: rsa.RSAPrivateKey) -> None:
    page.get_by_label("公钥 ID").nth(n).fill(key_id)
    page.get_by_label("公钥内容（PEM）").nth(n).fill(public_pem(key))


def save(page: Page) -> None:
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_role("heading", name="收款、登录和短信", level=1).wait_for()


def replace(page: Page, old: str) -> None:
    """Put another account in the place of the one that was there, which is asked about first."""
    page.get_by_role("button", name="保存", exact=True).click()
    asked = page.get_by_role("dialog", name="换成另一个收款账户？")
    expect(asked).to_contain_text(f"原来的账户（{old}）")
    expect(asked).to_contain_text("这次没有填私钥，会沿用原来的")
    asked.get_by_role("button", name="换账户").click()
    page.get_by_role("heading", name="收款、登录和短信", level=1).wait_for()
    earlier = page.get_by_role("listitem").filter(has_text=old)
    expect(earlier).to_contain_text("没有未完成的付款和退款")


def stored(shop: Shop, merchant_id: str, method: str) -> dict[str, Any]:
    """The account in the parameter that keeps it."""
    name = f"/tuan/{STAGE}/merchants/{merchant_id}/{method}"
    ssm = engine.client("ssm", shop.system.aws_url)
    content = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return without_history(json.loads(content))
