"""Where samples come from. A source runs one session and ends with an error; it never retries."""
