"""The ground: small pure helpers every app may import; this package imports no app."""
