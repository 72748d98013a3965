"""Expressions as text, read into graphs: "1 / (1 + exp(-(w*x + b)))".

Nothing in the text is executed. It is split into numbers, names and operators, and anything else is refused where it stands;
Python's own parser then says how these belong together, and a white list of its syntax becomes a short program for a stack.
That program records what the same Python code would record.
"""

from .errors import ExpressionError as ExpressionError
from .program import nearest as nearest
from .reading import Expression as Expression
from .reading import read as read
from .tokens import MAX_DIGITS as MAX_DIGITS
from .tokens import MAX_LENGTH as MAX_LENGTH
from .tokens import MAX_NESTING as MAX_NESTING
from .tokens import MAX_TOKENS as MAX_TOKENS
from .vocabulary import CONSTANTS as CONSTANTS
from .vocabulary import functions as functions
from .vocabulary import normal as normal
