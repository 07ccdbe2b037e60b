"""docs/miniprogram.md names whatever the client asks of WeChat that its privacy guide declares."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "miniprogram" / "src"
GUIDE = ROOT / "docs" / "miniprogram.md"

# By WeChat's 小程序用户隐私保护指引内容介绍: what is collected, and the interfaces that collect it.
DECLARED = {
    "微信昵称、头像": 'type="nickname" open-type="chooseAvatar" wx.getUserInfo wx.getUserProfile',
    "位置信息": "wx.getLocation wx.getFuzzyLocation wx.startLocationUpdate "
    "wx.startLocationUpdateBackground wx.onLocationChange",
    "选择的位置信息": "wx.choosePoi wx.chooseLocation",
    "地址": "wx.chooseAddress",
    "发票信息": "wx.chooseInvoiceTitle wx.chooseInvoice",
    "微信运动步数": "wx.getWeRunData",
    "手机号": 'open-type="getPhoneNumber" open-type="getRealtimePhoneNumber"',
    "车牌号": "wx.chooseLicensePlate",
    "选中的照片或视频信息": "wx.chooseImage wx.chooseMedia wx.chooseVideo",
    "选中的文件": "wx.chooseMessageFile",
    "麦克风": "wx.startRecord wx.getRecorderManager wx.joinVoIPChat",
    "摄像头": "wx.createVKSession wx.createCameraContext <camera",
    "蓝牙": "wx.openBluetoothAdapter wx.createBLEPeripheralServer",
    "相册（仅写入）": "wx.saveImageToPhotosAlbum wx.saveVideoToPhotosAlbum",
    "通讯录（仅写入）": "wx.addPhoneContact",
    "日历（仅写入）": "wx.addPhoneRepeatCalendar wx.addPhoneCalendar",
    "剪切板": "wx.setClipboardData wx.getClipboardData",
    "加速传感器": "wx.startAccelerometer wx.stopAccelerometer",
    "磁场传感器": "wx.startCompass wx.stopCompass",
    "方向传感器": "wx.startDeviceMotionListening wx.stopDeviceMotionListening",
    "陀螺仪传感器": "wx.startGyroscope wx.stopGyroscope",
}


def used() -> set[tuple[str, str]]:
    """What is collected and by which interface, of the sources for WeChat; `uni.x` calls `wx.x`."""
    texts = [
        file.read_text()
        for file in SOURCES.rglob("*")
        if file.suffix in (".ts", ".vue") and file.name not in ("h5.ts", "mp-alipay.ts")
    ]
    text = re.sub(r"\buni\.", "wx.", "\n".join(texts))
    return {
        (kind, name)
        for kind, names in DECLARED.items()
        for name in names.split(" ")
        if re.search(rf"{re.escape(name)}(?!\w)", text)
    }


def test_guide_names_every_interface_to_declare_and_no_other() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| `(?:<input )?([^`>]+)>?` \| (\S.*) \|$", GUIDE.read_text(), re.M
    )

    told = {(kind, name) for kind, name, _ in rows if kind in DECLARED}

    assert told == used()
    assert len(told) == 5  # they are found at all
