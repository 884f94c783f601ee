"""One-time codes: RFC 6238's vectors, one step of tolerance, six ASCII digits and nothing else (WEB-03)."""

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth import mfa

# RFC 6238, appendix B (SHA-1); the last six of its eight digits.
RFC_SEED = b"12345678901234567890"
RFC_CODES = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
SEED = bytes(range(40))
NOW = 1_800_000_007.5
STEP = mfa.step_of(NOW)


@pytest.mark.parametrize(("time", "code"), RFC_CODES.items())
def test_rfc_6238(time, code):
    assert mfa.matching_step(RFC_SEED, code, time) == time // 30
    assert mfa.code_at(RFC_SEED, time // 30) == code


def test_an_authenticator_app_shows_the_same_code():
    assert pyotp.TOTP(mfa.base32_seed(SEED).decode()).at(NOW) == mfa.code_at(SEED, STEP)


@given(st.integers(-20, 20))
def test_only_the_steps_beside_now_are_good(offset):
    code = mfa.code_at(SEED, STEP + offset)
    near = [STEP + near for near in (0, -1, 1) if mfa.code_at(SEED, STEP + near) == code]
    assert mfa.matching_step(SEED, code, NOW) == (near[0] if near else None)
    assert abs(offset) > 1 or near


@pytest.mark.parametrize(
    "spelled",
    [
        lambda code: code + " ",
        lambda code: " " + code,
        lambda code: code + "\n",
        lambda code: code[:3] + " " + code[3:],
        lambda code: "0" + code,
        lambda code: code[1:],
        lambda code: "".join(chr(0x660 + int(digit)) for digit in code),
        lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
        lambda _: "",
    ],
)
def test_a_code_has_one_spelling(spelled):
    code = mfa.code_at(SEED, STEP)
    assert mfa.matching_step(SEED, code, NOW) == STEP
    assert mfa.matching_step(SEED, spelled(code), NOW) is None
    assert mfa.consecutive_steps(SEED, spelled(code), mfa.code_at(SEED, STEP + 1), NOW) is None


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_two_codes_must_follow_each_other(first, second):
    code1, code2 = mfa.code_at(SEED, STEP + first), mfa.code_at(SEED, STEP + second)
    found = mfa.consecutive_steps(SEED, code1, code2, NOW)
    if second == first + 1 and -2 <= first <= 0:
        assert found == STEP + second
    else:
        assert found is None


def test_seeds_are_random_and_as_long_as_aws():
    assert len({mfa.generate_seed() for _ in range(20)}) == 20
    assert len(mfa.base32_seed(SEED)) == 64
    assert b"=" not in mfa.base32_seed(SEED)


def test_the_uri_and_its_picture():
    uri = mfa.otpauth_uri(SEED, user_name="james.bond", account_id="123456789012")
    parsed = pyotp.parse_uri(uri)
    assert (parsed.name, parsed.issuer) == ("james.bond@123456789012", "Amazon Web Services")
    assert parsed.secret.encode() == mfa.base32_seed(SEED)
    png = mfa.qr_png(uri)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png != mfa.qr_png(uri + "x")


def test_the_first_steps_of_the_epoch_do_not_fail():
    assert mfa.matching_step(SEED, mfa.code_at(SEED, 0), 1.0) == 0
    assert mfa.consecutive_steps(SEED, mfa.code_at(SEED, 0), mfa.code_at(SEED, 1), 31.0) == 1
