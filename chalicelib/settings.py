"""Typed settings, read once from the environment that the deployment declares.

Secrets are not here: `gateways.secrets` reads them from SSM Parameter Store.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    stage: str
    catalogue_table: str
    trade_table: str
    records_table: str
    parameters_prefix: str  # SSM path of secrets and addresses, without a trailing slash
    wechat_api_url: str
    wechat_open_url: str  # of WeChat's page for logins in its browser
    wechat_pay_url: str
    alipay_url: str
    alipay_auth_url: str  # of Alipay's page for logins
    sms_url: str
    media_bucket: str
    media_url: str  # where everybody finds the bucket's media/, without a trailing slash; for good
    web_url: str  # where a shared link opens outside WeChat
    handler: str  # on Lambda, the function that this process is: "app.app"; else ""
    dynamodb_client: str  # what asks DynamoDB: "own", or "botocore"
    time_divisor: int  # shortens lives, pay-by times and waits in demonstrations; 1 in production

    def shortened(self, seconds: int) -> int:
        """`seconds` of a real shop as this stage waits them: at least one second."""
        return max(1, seconds // self.time_divisor)


def aws_environment() -> Mapping[str, str]:
    """The environment, where Lambda says its region and the keys of its role."""
    return os.environ


def _read() -> Settings:
    env = os.environ
    stage = env.get("STAGE", "local")
    divisor = int(env.get("TIME_DIVISOR", "1"))
    if divisor != 1 and stage.startswith("prod"):
        raise ValueError(
            "TIME_DIVISOR shortens what buyers were promised; it is refused in production."
        )
    return Settings(
        stage=stage,
        catalogue_table=env.get("CATALOGUE_TABLE", "catalogue"),
        trade_table=env.get("TRADE_TABLE", "trade"),
        records_table=env.get("RECORDS_TABLE", "records"),
        parameters_prefix=env.get("PARAMETERS_PREFIX", "/tuan/local"),
        wechat_api_url=env.get("WECHAT_API_URL", "https://api.weixin.qq.com"),
        wechat_open_url=env.get("WECHAT_OPEN_URL", "https://open.weixin.qq.com"),
        wechat_pay_url=env.get("WECHAT_PAY_URL", "https://api.mch.weixin.qq.com"),
        alipay_url=env.get("ALIPAY_URL", "https://openapi.alipay.com/gateway.do"),
        alipay_auth_url=env.get("ALIPAY_AUTH_URL", "https://openauth.alipay.com"),
        sms_url=env.get("SMS_URL", "https://sms.tencentcloudapi.com"),
        media_bucket=env.get("MEDIA_BUCKET", "media"),
        media_url=env.get("MEDIA_URL", "https://media.example.com").rstrip("/"),
        web_url=env.get("WEB_URL", "https://shop.example.com"),
        handler=env.get("_HANDLER", ""),
        dynamodb_client=env.get("DYNAMODB_CLIENT", "own"),
        time_divisor=divisor,
    )


settings = _read()
