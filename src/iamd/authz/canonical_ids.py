"""The canonical user ids by which S3 knows accounts: 64 hexadecimal digits, the same for good.

AWS: AWS Account Management Reference Guide, "View AWS account identifiers", Canonical user ID.
"""

import hashlib
from typing import Final

from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import AccountRecord

ANONYMOUS: Final = "65a011a29cdf8ec533ec3d1ccaae921c"
"""Who owns what nobody signed for (S3 User Guide, "Access control list (ACL) overview")."""


def of_account(account_id: str, view: Snapshot | Change) -> str:
    """The canonical user id of an account, whether this server has it or not."""
    account = view.account(account_id)
    record = account.get(AccountRecord, account_id) if account is not None else None
    known = record.canonical_id if record is not None else ""
    return known or hashlib.sha256(f"canonical user {account_id}".encode()).hexdigest()


def account_of(canonical_id: str, view: Snapshot | Change, *others: str) -> str | None:
    """The account that has a canonical user id: of this server's, or of `others`."""
    return _accounts(view).get(canonical_id) or next(
        (one for one in others if of_account(one, view) == canonical_id), None
    )


def _accounts(view: Snapshot | Change) -> dict[str, str]:
    seen = view if isinstance(view, Snapshot) else view.seen
    if not isinstance(seen, Snapshot):
        return {}
    known = seen.cache.get("canonical ids")
    if not isinstance(known, dict):
        known = seen.cache["canonical ids"] = {of_account(one, seen): one for one in seen.account_ids()}
    return known
