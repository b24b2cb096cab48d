"""The demo workspace: Panal's own handbook as knowledge, so that a fresh machine answers with citations."""
