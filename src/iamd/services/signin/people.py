"""People: who can sign in with a password, found by what is typed on the sign-in page."""

import hashlib
from dataclasses import dataclass

from iamd.auth.identity import Identity, root_user
from iamd.auth.tokens import Session
from iamd.policy.request import PrincipalKind
from iamd.services.iam import entities
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import GLOBAL, ROOT, AccountAlias, AccountRecord, LoginProfile, Quarantine, User

View = Snapshot | Change


@dataclass(frozen=True, slots=True)
class Asked:
    """Who somebody says to be: a user name and an account's number or alias, or the e-mail address of a root user."""

    account: str = ""
    user_name: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """An IAM user, or an account's root user when `user` is None."""

    account: Account
    record: AccountRecord
    user: User | None
    profile: LoginProfile | None

    @property
    def principal_id(self) -> str:
        """What a session names its principal by."""
        return self.account.id if self.user is None else self.user.user_id

    @property
    def user_id(self) -> str:
        """What credentials name their user by."""
        return ROOT if self.user is None else self.user.user_id

    @property
    def name(self) -> str:
        """How the person is called on a page."""
        return self.user.user_name if self.user is not None else self.record.email or "root"

    @property
    def password_mark(self) -> str:
        """What tells one password of the person from every other; nobody learns anything about it from this."""
        stored = "" if self.profile is None else self.profile.password_hash
        return hashlib.sha256(stored.encode()).hexdigest()[:32]

    def identity(self, session: Session | None = None) -> Identity:
        """The person as who makes a request."""
        key_id = session.access_key_id if session is not None else None
        if self.user is None:
            root = root_user(self.account.id, key_id)
            return Identity(root.kind, root.account_id, root.arn, root.user_id, access_key_id=key_id, session=session)
        own, user = entities.user_arn(self.account, self.user), self.user
        return Identity(
            PrincipalKind.USER, self.account.id, own, user.user_id, user.user_id, own, user.user_name, key_id, session
        )

    def is_cut(self, view: View) -> bool:
        """Whether the person was quarantined since the password was set: who has the password may be a thief."""
        cut = view.shared.get(Quarantine, self.principal_id)
        return cut is not None and self.profile is not None and self.profile.changed <= cut.time


def asked_for(view: View, asked: Asked) -> Person | None:
    """The person of this name, or None; whether there is a password is for the caller to see."""
    if asked.email is not None:
        return _root_of(view, asked.email)
    account = account_of(view, asked.account)
    user = None if account is None else entities.user_in(account, asked.user_name)
    if account is None or user is None or user.user_name != asked.user_name:
        return None
    return person(view, account.id, user.user_id)


def account_of(view: View, name: str) -> Account | None:
    """The account of this number or alias, or None."""
    alias = view.shared.get(AccountAlias, name)
    return view.account(alias.account_id if alias is not None else name) if name != GLOBAL else None


def person(view: View, account_id: str, principal_id: str) -> Person | None:
    """The person by what a session names its principal by; None when it, or its account, is gone or suspended."""
    account = view.account(account_id)
    record = None if account is None else account.get(AccountRecord, account_id)
    if account is None or record is None or record.suspended:
        return None
    if principal_id == account_id:
        return Person(account, record, None, account.get(LoginProfile, ROOT))
    user = account.get(User, principal_id)
    return None if user is None else Person(account, record, user, account.get(LoginProfile, user.user_id))


def _root_of(view: View, email: str) -> Person | None:
    """The root user whose account has this address, in any case of letters, and who has a password."""
    found = [
        one
        for account_id in view.account_ids()
        if (one := person(view, account_id, account_id)) is not None
        and one.profile is not None
        and one.record.email.lower() == email.lower() != ""
    ]
    # SECURITY: an address that is two accounts' names nobody.
    return found[0] if len(found) == 1 else None


def attempts_of(view: View, asked: Asked) -> str:
    """What the attempts on this person's password are counted under; of who does not exist, under what was typed.

    A user's are counted together with those that ChangePassword makes.
    """
    known = asked_for(view, asked)
    if known is not None:
        return password_attempts(known)
    typed = "\0".join((asked.account.lower(), asked.user_name.lower(), (asked.email or "").lower()))
    return f"password of nobody {hashlib.sha256(typed.encode()).hexdigest()}"


def password_attempts(known: Person) -> str:
    """What the attempts on a password are counted under, wherever it is asked for."""
    return f"password {known.principal_id}"
