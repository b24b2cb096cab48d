"""The gateway's stages, outermost first: measure, route, ledger. A new one is a module and a word in `gateway`."""
