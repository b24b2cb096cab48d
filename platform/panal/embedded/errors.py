class EmbeddedError(Exception):
    """Something on this machine keeps Panal from starting; the text tells a person what and what to do."""
