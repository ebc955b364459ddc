"""The commands: one module per command, each with `add`; `main` puts them together."""
