"""When credentials are had anew, and what is handed out while that fails."""

import pytest

from iamd.metadata.temporary import Renewing, Temporary, Unobtainable


class Obtaining:
    """Credentials that are numbered in the order in which they are had; `refused` says that none are."""

    def __init__(self, lasts: float) -> None:
        self.lasts = lasts
        self.count = 0
        self.refused = False
        self.now = 1000.0
        self.renewing = Renewing(self.obtain, lambda: self.now)

    def obtain(self) -> Temporary:
        if self.refused:
            raise Unobtainable("AccessDenied", "not any more", 403)
        self.count += 1
        return Temporary(
            access_key_id=str(self.count),
            secret_access_key="",
            session_token="",
            expiration="",
            last_updated="",
            lasts=self.lasts,
            role_arn="arn:aws:iam::123456789012:role/x",
        )

    def after(self, seconds: float) -> str:
        self.now += seconds
        return self.renewing.current().access_key_id


@pytest.mark.parametrize(("lasts", "held"), [(3600, 2700), (900, 450), (2, 1)])
def test_credentials_are_kept_until_their_end_is_near(lasts, held):
    obtaining = Obtaining(lasts)
    assert obtaining.after(0) == "1"
    assert obtaining.after(held - 0.5) == "1"
    assert obtaining.after(0.5) == "2"
    assert obtaining.after(0) == "2"


def test_what_holds_is_handed_out_while_no_more_can_be_had():
    obtaining = Obtaining(3600)
    assert obtaining.after(0) == "1"
    obtaining.refused = True
    assert obtaining.after(3599) == "1"
    with pytest.raises(Unobtainable, match="not any more"):
        obtaining.after(1)
    obtaining.refused = False
    assert obtaining.after(0) == "2"


def test_a_role_is_named_without_its_secrets():
    shown = Obtaining(1).obtain()
    assert (shown.role_name, shown.account_id) == ("x", "123456789012")
    assert repr(shown) == "Temporary(1, arn:aws:iam::123456789012:role/x)"
