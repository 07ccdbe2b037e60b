"""What is kept of a password."""

import runpy

from chalicelib.services.people import staff


def test_passwords_are_hashed_with_as_much_work_as_owasp_asks_for() -> None:
    as_deployed = runpy.run_path(staff.__file__)  # tests use less

    assert as_deployed["hashed"]("a good password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
