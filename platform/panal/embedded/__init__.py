"""PostgreSQL, Redis and the product's own processes on one machine, with all state under one folder.

`addresses` says where the services answer; `running` keeps them up for the length of a `with` block.
"""

from panal.embedded.paths import Addresses, Home, addresses, home_from_env

__all__ = ["Addresses", "Home", "addresses", "home_from_env"]
