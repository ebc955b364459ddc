"""Pixels: the only room that decodes. It needs camkeep[video], and works in child processes."""
