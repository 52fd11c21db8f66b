"""The one exception whose message is meant for the user."""


class UserError(Exception):
    """One clear line: what is wrong, where, and what is allowed."""
