"""A camera without hardware: a moving test card whose frame number machines can read."""

from camkeep.cameras.testcard.card import picture
from camkeep.cameras.testcard.number import read_number, read_number_from_luma
from camkeep.cameras.testcard.source import TestcardSource

__all__ = ["TestcardSource", "picture", "read_number", "read_number_from_luma"]
