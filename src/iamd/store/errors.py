"""The only exceptions that the store raises: Conflict, Unavailable, and the kinds of it that a start can end with."""


class Conflict(Exception):
    """What was asked contradicts what is stored, and asking again won't help."""


class Unavailable(Exception):
    """The database can't be read or written now; nothing was changed, and asking again later may help."""


class DamagedStore(Unavailable):
    """The database is no database of iamd, or its contents can't be read."""


class NewerStore(Unavailable):
    """The database was written by a newer iamd than this one."""


class UnsupportedStore(Unavailable):
    """The kind of database that was asked for is not built into this iamd."""
