"""The pages: one file each, with its JSON and CSV twins."""
