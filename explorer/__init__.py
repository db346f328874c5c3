"""The explorer: what is stored, as pages, as an API and as metrics over HTTP."""
