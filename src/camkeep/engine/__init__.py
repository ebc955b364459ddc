"""What joins cameras to the archive: retrying, recording, probing."""
