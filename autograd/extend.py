"""What libraries on top of this package need of its inside, as `nn` does: numbers told apart, nested structures, tables, files."""

from .derivatives.functional import following as following
from .ops.op import ACTIVATION as ACTIVATION
from .ops.op import Op as Op
from .support import files as files
from .support.plain import as_float as as_float
from .support.plain import is_array as is_array
from .support.plain import is_plain as is_plain
from .support.plain import shown as shown
from .support.structure import check_depth as check_depth
from .support.structure import is_masked as is_masked
from .support.structure import leaves as leaves
from .support.structure import rebuild as rebuild
from .support.tables import printable as printable
from .support.tables import short as short
from .support.tables import table as table
