"""Bytes and their meaning. Pure: no I/O, no clock, no asyncio."""
