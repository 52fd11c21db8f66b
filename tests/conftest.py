"""Settings of all tests: a property is not refuted by a busy machine, and is tried on the same examples each time."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
