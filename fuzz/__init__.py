"""Coverage-guided fuzzing of everything that reads bytes of a camera or a file; docs/fuzzing.md."""
