"""The stages of the gateway, outermost first: measure, route, ledger. Adding one is a module and a line in `gateway`."""
