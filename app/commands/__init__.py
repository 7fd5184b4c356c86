"""The command line's commands, one module a subject; `app.cli` puts them together."""
