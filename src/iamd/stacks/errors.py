"""What is wrong with a resource, before any service is asked."""


class InvalidProperties(Exception):
    """Why a resource's properties can't be used, in a sentence."""
