"""Phone numbers as people write them, and as a courier dials them."""

import re
import unicodedata

# A mobile number, or a landline with its area code, each with an extension where a platform hides
# the real number behind one; 400 and 800 lines; Hong Kong, Macau and Taiwan with their codes.
PATTERN = (
    r"^(1[3-9][0-9]{9}(-[0-9]{1,6})?"
    r"|0[0-9]{2,3}-?[0-9]{7,8}(-[0-9]{1,6})?"
    r"|[48]00-?[0-9]{3}-?[0-9]{4}"
    r"|\+85[23][0-9]{8}"
    r"|\+886[0-9]{8,9})\Z"
)
# What a shop may be called at: also the short numbers of companies.
SERVICE_PATTERN = PATTERN.replace(r")\Z", r"|9[56][0-9]{3,6})\Z")
WRONG = (
    "电话号码不对。请填 11 位手机号，或带区号的座机，如 0571-88880000；"
    "香港、澳门、台湾的号码前请加 +852、+853、+886。"
)
_EXTENSION = re.compile(r"(?:转|分机|ext\.?|#|,|;)", re.IGNORECASE)
_DASHES = re.compile("[‐-―−－ー]")  # also by NFKC, which leaves most of them
_OVERSEAS = re.compile(r"(?:\+|00)(852|853|886)-?0?")
_CHINA = re.compile(r"(?:\+|00)86-?|86-?(?=1[3-9])")


def normal(text: str) -> str:
    """Return the number in `text` without what people put between its digits.

    Full-width digits, spaces, brackets, dashes within a mobile number, and +86 are no part of it;
    an extension is what follows 转, # or a dash. What is no number is returned as it reads then.
    """
    number = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    number = _EXTENSION.sub("-", number)
    number = re.sub(r"[\s().]", "", number).strip("-")
    if _OVERSEAS.match(number):
        return _OVERSEAS.sub(r"+\1", number, count=1).replace("-", "")
    china = _CHINA.match(number)
    number = number[china.end() :] if china else number
    mobile = re.fullmatch(r"(1[3-9][0-9])-?([0-9]{4})-?([0-9]{4})(-[0-9]{1,6})?", number)
    return "".join(part or "" for part in mobile.groups()) if mobile else number


def main_part(number: str) -> str:
    """The number without its extension: what its owner calls theirs."""
    return re.sub(r"^(1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8})-[0-9]{1,6}$", r"\1", number)
