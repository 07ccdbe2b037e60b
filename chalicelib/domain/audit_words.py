"""What people read for each action in the audit log."""

from collections.abc import Mapping

ACTION_WORDS: Mapping[str, str] = {
    "activity_changed": "修改活动",
    "activity_ended": "结束活动",
    "activity_groups_closed": "结束活动的所有团",
    "activity_paused": "暂停活动",
    "activity_published": "发布活动",
    "activity_resumed": "恢复活动",
    "activity_stock_added": "给活动增加库存",
    "address_changed": "修改收货地址",
    "after_sale_approved": "同意售后",
    "after_sale_refused": "拒绝售后",
    "category_changed": "修改分类",
    "category_created": "新建分类",
    "category_removed": "删除分类",
    "freight_changed": "修改运费模板",
    "freight_created": "新建运费模板",
    "freight_removed": "删除运费模板",
    "group_closed": "结束团",
    "group_extended": "延长团的时间",
    "merchant_created": "开店",
    "messages_changed": "修改消息模板",
    "order_handed_over": "核销自提订单",
    "order_noted": "添加订单备注",
    "order_ready": "自提订单备好",
    "order_shipped": "订单发货",
    "parcel_corrected": "更正物流信息",
    "password_changed": "修改自己的密码",
    "password_reset": "重置员工密码",
    "payment_account_changed": "修改收款或登录账户",
    "product_changed": "修改商品",
    "product_created": "新建商品",
    "product_shelved": "上架商品",
    "product_unshelved": "下架商品",
    "recipient_seen": "查看收件信息",
    "refund_outside": "登记线下退款",
    "refund_sent_again": "重新发起退款",
    "refund_stopped": "停止自动重试退款",
    "sessions_ended": "退出自己的所有登录",
    "settings_changed": "修改店铺设置",
    "staff_added": "添加员工",
    "staff_changed": "修改员工",
    "stock_adjusted": "调整库存",
    "store_changed": "修改自提门店",
    "store_created": "新建自提门店",
    "store_removed": "删除自提门店",
    "totp_added": "开启两步验证",
    "totp_removed": "关闭两步验证",
}


def words_of(action: str) -> str:
    """The action in words; one of before, which has none any more, as it was called."""
    return ACTION_WORDS.get(action, action)
